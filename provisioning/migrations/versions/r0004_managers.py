"""With which certificates managers' computers log in at the broker, so that one can be revoked.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Certificates that were made before are in no list: they end by themselves."""
    op.create_table(
        "managers",
        sa.Column("serial", sa.String(40), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("not_before_unix", sa.BigInteger(), nullable=False),
        sa.Column("not_after_unix", sa.BigInteger(), nullable=False),
        sa.Column("revoked_unix", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("serial", name="pk_managers"),
    )
    op.create_index("ix_managers_name", "managers", ["name"])
