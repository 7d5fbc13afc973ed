"""The SMTP edge: the listener in front of us (`session.py`) and the next hop behind us (`hop.py`, `upstream.py`)."""
