"""The numbers the machine works with at this moment: door.toml's, as far as the policy in force allows them. Pure.

Rules kept here:
- What the policy allows is asked anew with every event, and can only narrow what door.toml allows.
- Nothing opens at a door that has ended.
"""

from __future__ import annotations

from dataclasses import replace

from device import wire
from device.config.tables import Config
from device.lock.hours import Now
from device.lock.retiring import Retiring
from device.lock.state import Rules
from device.policy.methods import NOTHING, Method


def rules_of(config: Config) -> Rules:
    """The machine's numbers from door.toml."""
    table = config.lock
    return Rules(
        unlock_ns=table.unlock_ms * 1_000_000,
        window_ns=round(table.window_s * 1e9),
        held_open_ns=round(table.held_open_s * 1e9),
        exit_wired=table.rex_wired,
        face_alone_opens=table.tier == "face",
        lights=table.lights,
        page=config.page.served,
    )


class Narrowing:
    """`rules`, narrowed by what holds now."""

    def __init__(self, rules: Rules) -> None:
        self.rules = self._narrowed = rules
        self._by: tuple[Rules, Method, frozenset[int], int, wire.Ending] | None = None

    def at(self, now: Now, retiring: Retiring) -> Rules:
        """The rules while `now` is what may open, and `retiring` says how the door's end stands."""
        allowed = NOTHING if retiring.over else now.allowed
        by = (self.rules, allowed, now.barred, now.day, retiring.ending)
        # Asked anew with every event, and nearly always answered as before: then the rules are those of before.
        if by != self._by:
            self._by = by
            self._narrowed = replace(
                self.rules,
                methods=allowed,
                face_alone_opens=self.rules.face_alone_opens and Method.FACE in allowed,
                barred=now.barred,
                day=now.day,
                ending=retiring.ending,
            )
        return self._narrowed
