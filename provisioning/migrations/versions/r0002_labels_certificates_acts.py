"""How a door joins: labels, certificates, the state of a door; and the acts of its managers.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Doors that are there already were added by hand, at a time nobody noted."""
    op.add_column("doors", sa.Column("state", sa.String(16), nullable=False, server_default="added"))
    op.add_column("doors", sa.Column("created_unix", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("doors", sa.Column("joined_unix", sa.BigInteger(), nullable=True))
    op.add_column("doors", sa.Column("certificate_serial", sa.String(40), nullable=True))
    op.add_column("doors", sa.Column("not_after_unix", sa.BigInteger(), nullable=True))
    op.create_table(
        "labels",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("door_id", sa.String(16), nullable=False),
        sa.Column("verifier", sa.String(64), nullable=False),
        sa.Column("made_unix", sa.BigInteger(), nullable=False),
        sa.Column("expires_unix", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_labels"),
        sa.UniqueConstraint("door_id", "verifier", name="uq_labels_door_id_verifier"),
        sa.ForeignKeyConstraint(["door_id"], ["doors.id"], name="fk_labels_door_id"),
    )
    still_open = sa.text("state = 'open'")
    op.create_index(
        "ix_labels_one_open", "labels", ["door_id"], unique=True, sqlite_where=still_open, postgresql_where=still_open
    )
    op.create_table(
        "certificates",
        sa.Column("serial", sa.String(40), nullable=False),
        sa.Column("door_id", sa.String(16), nullable=False),
        sa.Column("not_before_unix", sa.BigInteger(), nullable=False),
        sa.Column("not_after_unix", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("revoked_unix", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("serial", name="pk_certificates"),
        sa.ForeignKeyConstraint(["door_id"], ["doors.id"], name="fk_certificates_door_id"),
    )
    op.create_index("ix_certificates_door_id", "certificates", ["door_id"])
    op.create_table(
        "acts",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at_unix", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("command", sa.String(64), nullable=False),
        sa.Column("door_id", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_acts"),
    )
