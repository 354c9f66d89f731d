"""The walls of the house, written a second time and from the other side: what a table of edges must never hold.

`broken` names every breach of them in one sentence each; the tests show it the real table and seeded faults.
"""

from __future__ import annotations

from collections.abc import Iterator

from device import wire
from device.codec import DigitText, Exactly
from device.edges import Edge, Room
from device.wire import Message
from tests.unit.shared.strategies import places

# Whoever it is, which number they typed, what they typed, and what their face is as numbers.
PERSONAL = {"slot", "claim", "digits", "shown", "new", "embedding", "salt", "verifier"}
OUTSIDE = (Room.REPORT, Room.DESK, Room.DOORCTL)  # they reach a network, or a person who does
SMALL = 64  # bytes: far below a template of 512, and below the smallest picture

# What may be larger on its way to people, and between which two rooms. A document comes in from a person; a paper that
# the door signed goes out to one. Papers stay below the 512 bytes of a template.
LARGER = {
    (wire.Document, Room.DESK, Room.DOORCTL): 2 + wire.MAX_DOCUMENT,
    (wire.Attestation, Room.VAULT, Room.DESK): wire.EMBEDDING_BYTES - 1,
    (wire.AttestationCopy, Room.VAULT, Room.DESK): wire.EMBEDDING_BYTES - 1,  # the receipt for the end of the door
    (wire.AttestationCopy, Room.DESK, Room.DOORCTL): wire.EMBEDDING_BYTES - 1,
}

# Whoever may ask with a number somebody typed, or hears the answer, could learn who has a face or a PIN, by trying.
BETWEEN = {
    wire.AskClaim: {Room.LOCK, Room.VAULT},
    wire.ClaimAnswer: {Room.LOCK, Room.VAULT},
    wire.Window: {Room.LOCK, Room.VAULT},
    wire.CheckPin: {Room.LOCK, Room.KEEPER},
    wire.ProvePin: {Room.LOCK, Room.KEEPER},
    wire.SetPin: {Room.LOCK, Room.KEEPER},
    wire.HasCredential: {Room.VAULT, Room.KEEPER},
    wire.CredentialAnswer: {Room.VAULT, Room.KEEPER},
    wire.PlaceEnded: {Room.VAULT, Room.KEEPER},
    wire.Grant: {Room.VAULT, Room.KEEPER},
    wire.AskHeld: {Room.VAULT, Room.DESK},
    wire.Held: {Room.VAULT, Room.DESK},
}


def received(edge: Edge, room: Room) -> frozenset[type[Message]]:
    """What `room` hears on `edge`."""
    return (edge.to_listener if edge.listener is room else frozenset()) | (
        edge.to_connector if edge.connector is room else frozenset()
    )


def personal_fields(msg: type[Message]) -> list[str]:
    """The fields of `msg` that are about somebody, by name or by byte form."""
    return [
        place.name
        for place in places(msg)
        if place.name in PERSONAL
        or isinstance(place.field, DigitText)
        or (isinstance(place.field, Exactly) and place.size > 32)  # larger than any hash: a template, a picture
    ]


def broken(edges: tuple[Edge, ...]) -> list[str]:
    """Every wall that `edges` has a hole in."""
    return [hole for edge in edges for hole in _holes(edge)] + _doubles(edges)


def _holes(edge: Edge) -> Iterator[str]:
    yield from _wrong_ends(edge)
    yield from _heard_outside(edge)
    yield from _asked_elsewhere(edge)
    name = f"{edge.connector} -> {edge.listener}"
    if wire.Verdict in edge.to_listener:
        yield f"{name}: a verdict goes elsewhere than to lock"
    if wire.Verdict in edge.to_connector and (
        edge.connector is not Room.LOCK or edge.listener not in (Room.VAULT, Room.KEEPER)
    ):
        yield f"{name}: a verdict passes between other rooms than vault or keeper and lock"


def _wrong_ends(edge: Edge) -> Iterator[str]:
    ends = {edge.listener, edge.connector}
    name = f"{edge.connector} -> {edge.listener}"
    if Room.EYE in ends and ends & set(OUTSIDE):
        yield f"{name}: eye has an edge to a room that reaches a network"
    if Room.REPORT in ends and ends != {Room.REPORT, Room.LOCK}:
        yield f"{name}: report has an edge to another room than lock"
    if edge.listener is Room.LOCK:
        yield f"{name}: somebody connects to lock"
    if Room.DOORCTL in ends and ends != {Room.DOORCTL, Room.DESK}:
        yield f"{name}: the command line has an edge to another room than desk"
    if edge.many and edge.connector is not Room.DOORCTL:
        yield f"{name}: only people's command lines come in numbers"


def _heard_outside(edge: Edge) -> Iterator[str]:
    name = f"{edge.connector} -> {edge.listener}"
    for room in set(OUTSIDE) & {edge.listener, edge.connector}:
        for msg in received(edge, room):
            for field in personal_fields(msg):
                yield f"{name}: {room} hears {msg.__name__}.{field}"
            if wire.body_size(msg) > LARGER.get((msg, edge.listener, edge.connector), SMALL):
                yield f"{name}: {room} hears {msg.__name__}, which is large enough for a template"


def _asked_elsewhere(edge: Edge) -> Iterator[str]:
    for msg in edge.to_listener | edge.to_connector:
        if not {edge.listener, edge.connector} <= BETWEEN.get(msg, set(Room)):
            yield f"{edge.connector} -> {edge.listener}: {msg.__name__} passes where it tells who is somebody here"


def _doubles(edges: tuple[Edge, ...]) -> list[str]:
    pairs = [frozenset((edge.listener, edge.connector)) for edge in edges]
    return [f"{' and '.join(sorted(pair))} have two edges" for pair in set(pairs) if pairs.count(pair) > 1]
