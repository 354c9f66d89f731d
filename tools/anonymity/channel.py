"""What arrives at the broker: every message with its moment, and the network's own troubles between.

Rules kept here:
- The loop asks the voice at every deadline and at every occurrence, in the order of `device.report.loop`.
- The network fails by itself and never because of people: outages come by chance, messages wait and arrive in their
  order after the door is `online` again, the last will says `offline` before. The real outbox and the real broker are
  in tests/integration/anonymity.
- A record of TLS 1.3 is as long as its MQTT packet and a constant (RFC 8446, 5.2 and 5.4: 5 bytes of header, one of
  content type, 16 of tag; no padding), so its length is told by topic and payload.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from operator import attrgetter

import numpy as np

from device.report.teller import Message
from device.wire import OccurrenceKind
from tools.anonymity.door import DOOR
from tools.anonymity.habits import DAY_S
from tools.anonymity.lock import Happened
from tools.anonymity.voices import Building

OUTAGES_A_DAY = 1 / 3
OUTAGE_S = 600.0  # mean
NOTICED_S = 900.0  # one and a half keep-alives of ten minutes: so late the broker publishes the last will
AVAILABILITY = f"doorward/{DOOR}/availability"
_EXPIRY_PROPERTY, _TLS = 5, 22
_FOUR_BYTES = 2097152


@dataclass(frozen=True, slots=True)
class Seen:
    """One message as the broker has it; `at_s` counts from the first midnight of the trial."""

    at_s: float
    topic: str
    payload: bytes

    @property
    def record(self) -> int:
        """Length in bytes of the TLS record that brought it (or, for the last will, that took it further)."""
        return record_length(len(self.topic), len(self.payload), expires=not self.topic.endswith("/availability"))


@cache
def record_length(topic: int, payload: int, *, expires: bool) -> int:
    """Bytes of the record with one PUBLISH, QoS 1 (MQTT 5.0, 3.3), from the lengths of its topic and its payload.

    `expires`: it carries a message expiry interval, as everything but the availability does.
    """
    rest = 2 + topic + 2 + 1 + expires * _EXPIRY_PROPERTY + payload
    return 1 + sum(rest >= limit for limit in (0, 128, 16384, _FOUR_BYTES)) + rest + _TLS


def capture(voice: Building, happened: Iterable[Happened], days: int, draw: np.random.Generator) -> tuple[Seen, ...]:
    """Everything that arrives in `days` days in which `happened` happens."""
    return _over_the_network(_said(voice, happened, days * DAY_S), days, draw)


def _said(voice: Building, happened: Iterable[Happened], ends_s: float) -> list[Seen]:
    said: list[Seen] = []

    def take(now_s: float, message: Message | None) -> None:
        if message is not None:
            said.append(Seen(now_s, message.topic, message.payload))

    def speak(until_s: float) -> None:
        while (now_s := voice.due_s) <= until_s:
            take(now_s, voice.report(now_s))

    for each in happened:
        if each.at_s >= ends_s:
            break
        speak(each.at_s)
        if isinstance(each.what, OccurrenceKind):
            take(each.at_s, voice.hear(each.what, each.at_s))
        else:
            take(each.at_s, voice.overhear(each.what, each.at_s))
    speak(ends_s)
    return said


def _over_the_network(said: list[Seen], days: int, draw: np.random.Generator) -> tuple[Seen, ...]:
    arrived = said
    for start_s in sorted(draw.uniform(0, days * DAY_S, draw.poisson(days * OUTAGES_A_DAY))):
        back_s = float(start_s + draw.exponential(OUTAGE_S))
        late = [Seen(back_s + 0.1, each.topic, each.payload) for each in arrived if start_s <= each.at_s < back_s]
        rest = [each for each in arrived if not start_s <= each.at_s < back_s]
        # The broker tells of a silent loss late, and of a new connection of the same door at once.
        will = Seen(float(min(start_s + NOTICED_S, back_s)), AVAILABILITY, b"offline")
        arrived = sorted([*rest, will, Seen(back_s, AVAILABILITY, b"online"), *late], key=attrgetter("at_s"))
    return tuple(arrived)
