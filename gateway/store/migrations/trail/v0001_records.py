"""Audit records, the rules in them, and the chain's head."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables; the head is that of an empty chain."""
    op.create_table(
        "records",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("moment", sa.BigInteger, nullable=False),
        sa.Column("retention", sa.Text, nullable=False),
        sa.Column("event", sa.Text),
        sa.Column("id", sa.Text),
        sa.Column("sender", sa.Text),
        sa.Column("recipient", sa.Text),
        sa.Column("account", sa.Text),
        sa.Column("direction", sa.Text),
        sa.Column("action", sa.Text),
        sa.Column("content", sa.Text),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_index("records_moment", "records", ["moment", "number"])
    for name in ("event", "id", "sender", "recipient", "account", "direction", "action", "retention"):
        op.create_index(f"records_{name}", "records", [name, "moment", "number"])
    op.create_table(
        "record_rules",
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("moment", sa.BigInteger, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("rule", "moment", "number"),
    )
    op.create_index("record_rules_number", "record_rules", ["number"])
    head = op.create_table(
        "head",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.bulk_insert(head, [{"number": 0, "hash": bytes(32)}])
