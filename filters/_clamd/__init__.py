"""The conversation with clamd: many scans at once over few connections that stay open."""
