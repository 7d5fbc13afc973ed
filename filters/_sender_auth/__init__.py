"""SPF, DKIM, DMARC and ARC, each in modules of its own that know nothing of mail policies."""
