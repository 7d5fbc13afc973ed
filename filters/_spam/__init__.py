"""Spam: the conversations with rspamd and spamd, and a classifier that needs no server."""
