"""Who uses the console, and where doors are: users, their sessions and devices, buildings, a chain through the acts.

Revision ID: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Doors that are there already have no building yet; acts from before stand outside the chain."""
    op.add_column("doors", sa.Column("building", sa.String(64), nullable=False, server_default=sa.text("''")))
    op.add_column("doors", sa.Column("floor", sa.String(16), nullable=False, server_default=sa.text("''")))
    op.create_index("ix_doors_building_name", "doors", ["building", "name"])
    op.create_index("ix_doors_state_name", "doors", ["state", "name"])
    op.create_index("ix_doors_not_after_unix", "doors", ["not_after_unix"])
    op.add_column("acts", sa.Column("about", sa.String(64), nullable=False, server_default=sa.text("''")))
    op.add_column("acts", sa.Column("chain", sa.String(64), nullable=True))
    op.create_table(
        "users",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password", sa.String(128), nullable=False),
        sa.Column("second_factor", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("created_unix", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_users"),
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("user_name", sa.String(32), nullable=False),
        sa.Column("created_unix", sa.BigInteger(), nullable=False),
        sa.Column("seen_unix", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sessions"),
        sa.ForeignKeyConstraint(["user_name"], ["users.name"], name="fk_sessions_user_name"),
    )
    op.create_index("ix_sessions_user_name", "sessions", ["user_name"])
    op.create_table(
        "devices",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("user_name", sa.String(32), nullable=False),
        sa.Column("created_unix", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_devices"),
        sa.ForeignKeyConstraint(["user_name"], ["users.name"], name="fk_devices_user_name"),
    )
    op.create_index("ix_devices_user_name", "devices", ["user_name"])
