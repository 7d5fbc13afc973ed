"""The SMTP edge: the listener in front, the next hop behind."""
