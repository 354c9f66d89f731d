"""Which key a door believes, while the fleet's is replaced.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Doors that are there already believe the fleet's key: there was no other."""
    op.add_column("doors", sa.Column("manager_key", sa.String(64), nullable=True))
    op.add_column("doors", sa.Column("succession", sa.BigInteger(), nullable=True))
