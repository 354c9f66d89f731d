"""How a door is, in words for a page: the same for the list, the door's own page, the plan and the live updates."""

from __future__ import annotations

import time
from dataclasses import dataclass

from provisioning.console.live import Health, Live
from provisioning.console.wording import Words
from provisioning.store import DoorState


@dataclass(frozen=True, slots=True)
class DoorShown:
    """`health` is a word for colours and signs, `text` says it; `heard` is when; the rest is what it has."""

    health: str
    text: str
    heard: str
    software: str
    documents: str


@dataclass(frozen=True, slots=True)
class Shown:
    """Says how doors are."""

    words: Words
    live: Live
    now_unix: int

    def of(self, door_id: str, state: DoorState | None = None) -> DoorShown:
        """A door, in words; of one that is given up nothing is expected any more."""
        words, status = self.words, self.live.status(door_id)
        health = status.health
        if state is DoorState.RETIRED:
            return DoorShown("retired", words("health.retired"), "", "", "")
        text = words(f"health.{health.value}")
        if health is Health.UNWELL:
            named = [words(f"parts.{name}") for name in status.wrong]
            named += [words("parts.test")] if status.untested else []
            text = words("health.unwell_of", parts=words("health.and").join(named))
        elif health is Health.UNKNOWN and state is not DoorState.JOINED and state is not None:
            health, text = Health.UNKNOWN, words("health.not_joined")
        if status.asks:
            text = words("health.asks", text=text)
        if status.ended:
            text = words("health.ended", text=text)
        heard = time.strftime("%H:%M", time.localtime(status.heard_unix)) if status.heard_unix else ""
        documents = "" if status.documents is None else str(status.documents)
        return DoorShown(health.value, text, heard, status.software, documents)
