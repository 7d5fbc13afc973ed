"""Looking names up: questions and answers (`answers.py`), names and who owns them (`names.py`), a resolver with a cache
that all messages share (`resolver.py`), and a limit on what one message may ask (`lookups.py`).

dnspython is imported when the first question is sent, not before: it takes longer to load than most commands run.
"""
