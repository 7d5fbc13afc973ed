"""Notices: what people of the organisation are told about mail, in Vietnamese and English in one message.

`model.py` says what there is to tell, `guard.py` who may be told, `compose.py` makes the message, `outbox.py` keeps it
until it is sent, and `notifier.py` ties these together.
"""
