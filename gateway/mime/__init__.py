"""Mail as byte spans: `parse` reads a message, `decode` gives a part's content, `edit` makes the outgoing message.

`parse.py` splits heads with `header.py` and bodies by their boundaries, `parameters.py` and `words.py` read what the
fields say, `names.py` and `kinds.py` judge file names and file contents. Nothing here raises on a stranger's bytes:
oddities become defects (`defects.py`).
"""
