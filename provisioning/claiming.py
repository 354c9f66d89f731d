"""Requests and answers of doors that join, at the broker: taken from where doors put them, put where doors look.

Rules kept here:
- Managers come in by a port of their own, the one after the doors', with their certificate.
- A request that was answered is taken away. The answer stays until the door has it, 30 days at most; it is no secret.
"""

from __future__ import annotations

import time
from pathlib import Path

from provisioning.errors import FleetFault, FleetRefused
from provisioning.labels import Where
from provisioning.line import Line
from provisioning.options import WAITS_S

REQUEST_S = 10.0


def request_topic(door_id: str) -> str:
    """Where the door with this id (16 hexadecimal digits) puts its request."""
    return f"doorward/claim/{door_id}/request"


def answer_topic(door_id: str) -> str:
    """Where it looks for the answer."""
    return f"doorward/claim/{door_id}/answer"


def fetch(where: Where, login: Path, door_id: str, patience_s: float = REQUEST_S) -> bytes:
    """The request of a door. Raises FleetRefused if there is none, FleetFault if the broker is away."""
    topic = request_topic(door_id)
    with _line(where, login, (topic,)) as line:
        content = _kept(line, topic, patience_s)
    if content is None:
        msg = "this door's request is not at the broker; does it have its label, and is it switched on and connected?"
        raise FleetRefused(msg)
    return content


def question(where: Where, login: Path, door_id: str, patience_s: float = REQUEST_S) -> bytes:
    """What a door asks its next certificate with. Raises FleetRefused if it does not, FleetFault."""
    topic = f"doorward/{door_id}/renew"
    with Line(where.host, where.port, login, (topic,)) as line:
        line.open()
        content = _kept(line, topic, patience_s)
    if content is None:
        msg = "this door has not asked for its next certificate; it does so after two thirds of the present one"
        raise FleetRefused(msg)
    return content


def _kept(line: Line, topic: str, patience_s: float) -> bytes | None:
    ends = time.monotonic() + patience_s
    while (left_s := ends - time.monotonic()) > 0:
        heard = line.next(left_s)
        if heard is not None and heard.topic == topic and heard.content:
            return heard.content
    return None


def put(where: Where, login: Path, door_id: str, answer: bytes) -> None:
    """Give a door its answer. Raises FleetFault."""
    with _line(where, login) as line:
        line.say(answer_topic(door_id), answer, retain=True, expiry_s=WAITS_S)
        line.say(request_topic(door_id), b"", retain=True)


def _line(where: Where, login: Path, topics: tuple[str, ...] = ()) -> Line:
    if not where.claim_port:
        msg = "doors of this fleet join by file; otherwise name the port they use with --claim-port"
        raise FleetRefused(msg)
    line = Line(where.host, where.claim_port + 1, login, topics)
    try:
        line.open()
    except FleetFault:
        line.close()
        raise
    return line
