"""Kept mail, its recipients, rules and steps."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "kept",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
    )
    op.create_index("kept_received", "kept", ["received", "id"])
    for name in ("kind", "state", "sender"):
        op.create_index(f"kept_{name}", "kept", [name, "received", "id"])
    for table, column in (("kept_recipients", "address"), ("kept_rules", "rule")):
        op.create_table(
            table,
            sa.Column(column, sa.Text, nullable=False),
            sa.Column("id", sa.Text, nullable=False),
            sa.PrimaryKeyConstraint(column, "id"),
        )
        op.create_index(f"{table}_id", table, ["id"])
    op.create_table(
        "kept_steps",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", "number"),
    )
