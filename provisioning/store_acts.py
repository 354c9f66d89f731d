"""The manager's acts in the database: one table that is only ever appended to, and a chain through it.

Rules kept here:
- Each act holds the SHA-256 of itself and of the act before it. One that was changed or taken out of the middle shows
  at the next one; acts taken off the end show to whoever noted the last hash elsewhere.
- The chain is no signature: who may write into the database may also write a new chain. It tells an accident, a clumsy
  hand, and with a hash on paper a skilled one.
- Acts are numbered and chained one after the other, also where several managers act at once: the last lock that a
  transaction takes is that of the chain, so that nobody waits crosswise.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from provisioning import store_rows
from provisioning.store import Act
from provisioning.store_tables import LONGEST_ACT, ActRow

_ADVISORY_LOCK = int.from_bytes(b"dw acts.")


@dataclass(frozen=True, slots=True)
class Chain:
    """What became of the chain: how many acts it holds, the last hash ("" if none), the first act that does not fit."""

    acts: int
    last: str
    broken: Act | None


def linked(act: Act, before: str) -> str:
    """The `chain` of an act that follows one with the `chain` `before` ("" if there is none)."""
    words = [before, act.at_unix, act.who, act.command, act.door_id, act.about]
    return hashlib.sha256(json.dumps(words, ensure_ascii=True).encode("ascii")).hexdigest()


def note(session: Session, act: Act) -> None:
    """Append an act, in the transaction of whoever does it. What is too long is cut."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
    last = session.scalar(sa.select(ActRow.chain).order_by(ActRow.number.desc()).limit(1))
    cut = replace(act, who=act.who[:LONGEST_ACT], command=act.command[:LONGEST_ACT], about=act.about[:LONGEST_ACT])
    words = {"who": cut.who, "command": cut.command, "door_id": cut.door_id, "about": cut.about}
    session.add(ActRow(at_unix=cut.at_unix, **words, chain=linked(cut, last or "")))
    session.flush()  # numbered while the chain is held


def check(acts: Iterable[Act]) -> Chain:
    """Follow the chain through all acts, oldest first. Those from before there was one come first, and have none."""
    count, last = 0, ""
    for act in acts:
        if not act.chain and not count:
            continue
        if act.chain != linked(act, last):
            return Chain(count, last, act)
        count, last = count + 1, act.chain
    return Chain(count, last, None)


def everything(session: Session) -> list[Act]:
    """All acts, oldest first."""
    return [store_rows.act(row) for row in session.scalars(sa.select(ActRow).order_by(ActRow.number))]
