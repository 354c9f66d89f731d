"""A new fleet's SQLite file, made by the real steps once in a process and copied after that.

Ten tables by alembic take a tenth of a second, and hundreds of tests begin with a new fleet. A copy differs from what
is copied in nothing but the fleet's key.
"""

from __future__ import annotations

from functools import cache

import pytest

from provisioning import store_schema

_KEY = "5e" * 32  # a key as long as any; the only thing in a new file that differs between two fleets

make = store_schema.new_file


def copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let new fleets begin with a copy."""
    monkeypatch.setattr(store_schema, "new_file", new_file)


def new_file(public_key: str) -> bytes:
    """What `store_schema.new_file` gives, of the same bytes."""
    made = _made()
    if len(public_key) != len(_KEY) or made.count(_KEY.encode()) != 1:
        return make(public_key)
    return made.replace(_KEY.encode(), public_key.encode("ascii"))


@cache
def _made() -> bytes:
    return make(_KEY)
