"""What alembic runs: all steps on the connection it was handed, inside that connection's transaction."""

from __future__ import annotations

from alembic import context

from provisioning.store_tables import VERSION_TABLE, Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,  # so it is in both databases; alembic knows it of PostgreSQL only
)
with context.begin_transaction():
    context.run_migrations()
