"""A mail opened: every text, link and file in it, as `gateway/reading.py` has them.

Texts and HTML of the mail's own parts are read in place; documents and archives in a process that can do no harm.
"""
