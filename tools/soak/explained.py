"""Which lines a door and its broker write in such a day, why, and what has to go on for them.

Rules kept here:
- Whatever is not here is a finding. A pattern fits a whole line and has room for no digits but ports and Mosquitto's
  own counts; what a person typed has no place in any of them.
- A line that anybody could cause at any time says so (`ALWAYS`); all others need their cause.
"""

from __future__ import annotations

import re
from typing import Final

from device.keeper.cards.steps import Reason
from tools.soak.lines import Cause, Explained

_ANY: Final = frozenset({Cause.ALWAYS})
_COPY: Final = frozenset({Cause.COPY})
_KILL: Final = frozenset({Cause.KILL})
_COMING: Final = frozenset({Cause.START, Cause.KILL, Cause.BROKER})
_CLIENT: Final = r"(manager/office|[0-9a-f]{16}|<unknown>|127\.0\.0\.1)"
_PORT: Final = r"127\.0\.0\.1:[0-9]{1,5}"


def _line(who: str, pattern: str, causes: frozenset[Cause], why: str) -> Explained:
    return Explained(who, re.compile(pattern), causes, why)


def _card(reason: Reason, causes: frozenset[Cause], why: str) -> Explained:
    return _line("keeper", re.escape(f"keeper: {reason.value}"), causes, why)


SSL_LINE: Final = r"_ssl\.c:[0-9]{1,5}"
"""Where Python's own source gave up a handshake: another number in each version of it."""

EXPLAINED: Final[tuple[Explained, ...]] = (
    _card(Reason.NOBODYS, _ANY, "a cancelled card, or a blank one that shows a number like it"),
    _card(Reason.UNKNOWN_KEY, _COPY, "a copier has the number of a card, and none of its keys"),
    _card(Reason.BEHIND, _COPY, "a full copy of a card, as it was on its first day"),
    _card(Reason.GARBLED, _COPY | _KILL, "a copy without what the original holds, or a room that died meanwhile"),
    _card(Reason.REFUSED, _COPY | _KILL, "a copy refuses what the original does"),
    _line(
        "eye",
        "eye: looking at a frame took so long that it was too old afterwards; such frames are dropped",
        frozenset({Cause.BUSY}),
        "eye waited for a processor; with nobody else on the machine this is a finding",
    ),
    _line("report", "report: connected to the broker", _COMING, "it found the broker again, or started anew"),
    _line(
        "report",
        r"report: no connection to the broker \((Connection refused|Unspecified error|Keep alive timeout|"
        rf"The connection was lost|timed out|{SSL_LINE}: The handshake operation timed out|Network unreachable)"
        r"\); messages wait in the outbox",
        frozenset({Cause.BROKER}),
        "the broker was stopped or answered nobody",
    ),
    _line(
        "broker",
        r"Client connection from 127\.0\.0\.1 failed: error:[0-9A-F]{8}:SSL routines::unexpected eof while reading\.",
        _COMING,
        "the soak looks whether the broker listens, or a client left before it was taken",
    ),
    _line(
        "broker",
        r"OpenSSL Error\[0\]: error:[0-9A-F]{8}:SSL routines::unexpected eof while reading",
        _COMING,
        "a client was killed, or gave the broker up, and said no goodbye",
    ),
    _line("broker", rf"New connection from {_PORT} on port [0-9]{{1,5}}\.", _COMING, "a client came"),
    _line(
        "broker",
        rf"New client connected from {_PORT} as {_CLIENT} \(p5, c[01], k[0-9]{{1,4}}, u'{_CLIENT}'\)\.",
        _COMING,
        "a client was let in by its certificate",
    ),
    _line("broker", rf"Client {_CLIENT} closed its connection\.", _COMING, "a client was killed, or gave up waiting"),
    _line("broker", rf"Client {_CLIENT} disconnected\.", _COMING, "a client said goodbye"),
    _line(
        "broker",
        rf"Client {_CLIENT} (already connected, closing old connection|has exceeded timeout, disconnecting)\.",
        _COMING,
        "the broker stood still, and its clients came again",
    ),
    _line(
        "broker",
        r"Client <unknown> disconnected: Protocol error\.",
        _COMING,
        "a client left in the middle of its handshake, which Mosquitto calls so: it was killed, or gave the broker up",
    ),
    _line(
        "broker",
        r"Client manager/office disconnected: Protocol error\.",
        frozenset({Cause.BROKER}),
        "the manager, whose keep-alive is fifteen seconds, had given up a broker that stood still",
    ),
    _line("broker", rf"Client {_CLIENT} disconnected due to .{{1,60}}\.", _COMING, "a connection broke"),
)
