"""Mail as byte spans: `parse` reads a message, `decode` gives a part's content, `enclosed` everything that some program
may show beside, `edit` makes the outgoing message.

`README.md` beside this says what is read how. Nothing here raises on a stranger's bytes: oddities become defects
(`defects.py`).
"""
