"""Where mail that the gateway owns is kept, and the audit trail: the embedded family, files and SQLite.

`open.py` opens both. Kept mail is `mail.py` over `files.py` (the truth) and `index.py` (SQLite, rebuilt from the files
when it is lost). The trail is `trail.py` over one SQLite file; `chain.py` says how its records are chained.
"""
