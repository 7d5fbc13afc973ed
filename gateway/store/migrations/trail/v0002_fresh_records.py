"""Records that no index has yet: a batch of mail waits for its records, and not for nine indexes of them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

COLUMNS = ("event", "id", "sender", "recipient", "account", "direction", "action", "retention")


def upgrade() -> None:
    """Make the indexes anew, over records that are not fresh; those that are there are not."""
    op.add_column("records", sa.Column("fresh", sa.Integer))
    op.add_column("head", sa.Column("indexed", sa.Integer, nullable=False, server_default="0"))
    op.execute("UPDATE head SET indexed = number")
    for name in ("moment", *COLUMNS):
        op.drop_index(f"records_{name}", "records")
        columns = [name, "moment", "number"] if name in COLUMNS else ["moment", "number"]
        op.create_index(f"records_{name}", "records", columns, sqlite_where=sa.text("fresh IS NULL"))
