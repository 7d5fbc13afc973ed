"""Text as a person reads it: bytes to letters (`charsets.py`), HTML to what is seen (`hypertext.py`), and the folded
forms in which one sentence in many writings is one sentence (`folding.py`), searched by `phrases.py`.

Nothing here knows what a message is; nothing raises on a stranger's text.
"""
