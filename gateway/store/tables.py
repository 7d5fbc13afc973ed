"""The tables of the two databases as queries know them; `migrations/` makes them.

Moments are microseconds since 1970 in UTC. Columns of addresses and subjects are folded (`text.py`).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

MAIL = MetaData()
TRAIL = MetaData()

KEPT = Table(
    "kept",
    MAIL,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("sender", Text, nullable=False),
    Column("words", Text, nullable=False),  # subject, addresses and ids, for looking inside
    Column("entry", Text, nullable=False),
    Index("kept_received", "received", "id"),
    Index("kept_kind", "kind", "received", "id"),
    Index("kept_state", "state", "received", "id"),
    Index("kept_sender", "sender", "received", "id"),
)
"""Kept mail. `entry` is the KeptMail as JSON (`entry.py`); the state in the column is the one that counts."""

KEPT_RECIPIENTS = Table(
    "kept_recipients",
    MAIL,
    Column("address", Text, nullable=False),
    Column("id", Text, nullable=False),
    PrimaryKeyConstraint("address", "id"),
    Index("kept_recipients_id", "id"),
)

KEPT_RULES = Table(
    "kept_rules",
    MAIL,
    Column("rule", Text, nullable=False),
    Column("id", Text, nullable=False),
    PrimaryKeyConstraint("rule", "id"),
    Index("kept_rules_id", "id"),
)

KEPT_STEPS = Table(
    "kept_steps",
    MAIL,
    Column("id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("step", Text, nullable=False),
    PrimaryKeyConstraint("id", "number"),
)
"""What happened to kept mail; `step` is the Step as JSON."""

CODES = Table(
    "codes",
    MAIL,
    Column("digest", Text, primary_key=True),
    Column("message", Text, nullable=False),
    Column("acts", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("used", BigInteger),
    Index("codes_expires", "expires"),
)
"""Single-use codes by the digests of their secrets; `acts` are words with blanks between them."""

RECORDS = Table(
    "records",
    TRAIL,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("moment", BigInteger, nullable=False),
    Column("retention", Text, nullable=False),
    Column("event", Text),
    Column("id", Text),
    Column("sender", Text),
    Column("recipient", Text),
    Column("account", Text),
    Column("direction", Text),
    Column("action", Text),
    Column("content", Text),
    Column("digest", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("fresh", Integer),
    Index("records_moment", "moment", "number", sqlite_where=text("fresh IS NULL")),
    *(
        Index(f"records_{name}", name, "moment", "number", sqlite_where=text("fresh IS NULL"))
        for name in ("event", "id", "sender", "recipient", "account", "direction", "action", "retention")
    ),
)
"""The audit trail. `content` is the record as canonical JSON. An expired record keeps what the chain needs (number,
moment, retention, digest, hash) and nothing else. `fresh` is 1 while the indexes do not have the record yet."""

RECORD_RULES = Table(
    "record_rules",
    TRAIL,
    Column("rule", Text, nullable=False),
    Column("moment", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    PrimaryKeyConstraint("rule", "moment", "number"),
    Index("record_rules_number", "number"),
)

HEAD = Table(
    "head",
    TRAIL,
    Column("number", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("indexed", Integer, nullable=False),
)
"""One row: the last record's number and hash, so that a trail with its end cut off does not look whole. The indexes
have the records up to the number `indexed`."""
