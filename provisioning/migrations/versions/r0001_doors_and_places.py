"""The fleet, its doors, and the places offered on them.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "fleet",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("public_key", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_fleet"),
        sa.CheckConstraint("number = 1", name=op.f("ck_fleet_only_one")),
    )
    op.create_table(
        "doors",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("policy", sa.LargeBinary(), nullable=False),
        sa.Column("reporting", sa.LargeBinary(), nullable=False),
        sa.Column("document_key", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_doors"),
        sa.UniqueConstraint("name", name="uq_doors_name"),
        sa.CheckConstraint("version BETWEEN 0 AND 4294967295", name=op.f("ck_doors_version")),
    )
    op.create_table(
        "slots",
        sa.Column("door_id", sa.String(16), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("expires_unix", sa.BigInteger(), nullable=False),
        sa.Column("ends_unix", sa.BigInteger(), nullable=False),
        sa.Column("timetable", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("door_id", "number", name="pk_slots"),
        sa.ForeignKeyConstraint(["door_id"], ["doors.id"], name="fk_slots_door_id"),
    )
