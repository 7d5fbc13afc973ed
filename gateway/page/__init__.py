"""The page on which an approver sees one held message and decides on it.

`site.py` answers requests with what `forms.py` (what a browser sent), `preview.py` (what the message holds), `words.py`
(what we say) and `render.py` (how it looks) make of them; `serve.py` puts it on a socket.
"""
