"""Runs the steps, on a connection somebody else opened."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import command
from alembic.config import Config


def climb(connection: sa.Connection, to: str) -> None:
    """Run the steps up to the one called `to`, in the transaction of `connection`."""
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def configuration() -> Config:
    """What alembic is told about our steps."""
    config = Config()
    config.set_main_option("script_location", "provisioning:migrations")
    config.set_main_option("path_separator", "os")
    return config
