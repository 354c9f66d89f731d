"""The envelope: every report and every alarm as the same number of bytes.

Rules kept here:
- Every payload is exactly `SIZE` bytes, whatever it says; a value that could outgrow its place is cut down or refused
  here, never sent longer.
- It carries the health of the door and nothing that dates or counts what people do: no wall-clock time, no uptime, no
  slot, no unlock (ADR 0004). The one exception is signed for: a number of the last full day, noise included, which is
  the same in every report of the day after (ADR 0017).
- An alarm says that there is one, and why only to whoever holds the alarm key (`seal`). It carries no health, because
  a flag that has just changed would name the reason.
- A report whose `camera` and `lockout` are sealed says neither in the open.

The form is one JSON object, padded with spaces behind it, which JSON permits (RFC 8259, section 2): a person with any
MQTT client can read it, and Home Assistant takes it as it is. 384 bytes: the longest object takes 368 of them (a test
computes it), and the packet still fits one TCP segment. docs/formats.md lists the keys.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum, unique

from device.errors import MessageRefused
from device.report.health import Health
from device.report.seal import LETTERS

FORMAT = 2
SIZE = 384  # bytes of every payload
MAX_SEQUENCE = 2**32 - 1
MAX_DROPPED = 65535
MAX_DOCUMENTS = 2**32 - 1
LEAST_COUNT, MOST_COUNT = -9_999, 99_999  # lock cuts it there as well (device.lock.daily_count)
ONLINE, OFFLINE = b"online", b"offline"  # Home Assistant's own default words
_SOFTWARE = re.compile(r"[0-9A-Za-z.+]{1,16}")
_DOOR = re.compile(r"[0-9a-f]{16}")
_RUN = re.compile(r"[0-9a-f]{8}")
_SEALED = re.compile(rf"[0-9A-Za-z+/=]{{{LETTERS}}}")
_IN_PRIVATE = frozenset({"camera", "lockout"})


@unique
class Kind(StrEnum):
    """What a message is; the same word ends its topic."""

    REPORT = "report"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What one message says: a report with `health`, or an alarm without it.

    `sealed` is the reason of an alarm; of a report its `camera` and `lockout`, or empty if they stand in the open.
    `run` names this start of the process (8 hexadecimal digits, random) and `sequence` counts its messages from 1,
    reports and alarms alike: the pair recognises a message that arrives twice, a gap shows one that was lost. `dropped`
    is how many messages the outbox had to drop since the door was set up.
    """

    door: str
    run: str
    sequence: int
    software: str
    dropped: int
    health: Health | None
    sealed: str = ""

    @property
    def kind(self) -> Kind:
        """What the message is."""
        return Kind.ALARM if self.health is None else Kind.REPORT


def encode(envelope: Envelope) -> bytes:
    """The payload of `envelope`, always SIZE bytes. Raises MessageRefused for an id or a seal that is none."""
    if not _DOOR.fullmatch(envelope.door) or not _RUN.fullmatch(envelope.run):
        msg = "a message names its door by 16 and its run by 8 hexadecimal digits"
        raise MessageRefused(msg)
    said: dict[str, str | int | bool | None] = {
        "v": FORMAT,
        "kind": str(envelope.kind),
        "door": envelope.door,
        "run": envelope.run,
        "seq": min(max(envelope.sequence, 0), MAX_SEQUENCE),
        "sw": envelope.software if _SOFTWARE.fullmatch(envelope.software) else "unknown",
        "dropped": min(max(envelope.dropped, 0), MAX_DROPPED),
    }
    if envelope.health is None:
        said["reason"] = _sealed(envelope.sealed)
    elif envelope.sealed:
        openly = {key: value for key, value in _flags(envelope.health).items() if key not in _IN_PRIVATE}
        said |= openly | {"sealed": _sealed(envelope.sealed)}
    else:
        said |= _flags(envelope.health)
    return json.dumps(said, separators=(",", ":")).encode("ascii").ljust(SIZE)


def _sealed(letters: str) -> str:
    if not _SEALED.fullmatch(letters):
        msg = f"what is sealed, as the reason of every alarm is, has {LETTERS} letters of base64"
        raise MessageRefused(msg)
    return letters


def _flags(health: Health) -> dict[str, int | bool | None]:
    """What a report can say of the door. Flags are true while all is well, but for `alarm`, `lockout` and `retired`."""
    return {
        "lock": health.lock,
        "camera": health.camera,
        "vault": health.vault,
        "keeper": health.keeper,
        "bolt": health.bolt,
        "alarm": bool(health.alarms),
        "docs": min(max(health.documents, 0), MAX_DOCUMENTS),
        "storage": health.storage,
        "lockout": health.lockout,
        "count": None if health.count is None else min(max(health.count, LEAST_COUNT), MOST_COUNT),
        "cert": health.certificate,
        "retired": health.retired,
    }


def topic(kind: Kind, door: str) -> str:
    """Where messages of `kind` go."""
    return f"doorward/{door}/{kind}"


def availability_topic(door: str) -> str:
    """Where the broker keeps "online" or "offline" (retained; the latter as the last will)."""
    return f"doorward/{door}/availability"
