"""Mail that the gateway answers for: kept, approved, released once, expired.

A message comes in by `keep.py` (what is written down of it), waits by `terms.py`, is decided on by `approvals.py` and
goes on by `releasing.py`; `agenda.py` says what time asks for. `custody.py` is what the rest of the gateway calls.
"""
