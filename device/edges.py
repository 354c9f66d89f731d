"""The walls of the house as one table: who may connect to whom, and which messages may pass.

Rules kept here:
- A connection that is not a row of `EDGES` does not exist: no socket is made for it.
- A message that is not listed for its edge and direction is fatal to that connection and raises an alarm.
- Nobody connects to `lock`: it opens its connections itself, so nothing can be pushed at the room that moves the bolt.
- `eye` has no edge to anything that reaches a network; `report` has none to anything that holds a face or a PIN.

Each edge is a socket of its own, `run/doorward/<listener>/<connector>.sock`, owned by the listener and open to the
connector alone. The peer's user is checked as well (SO_PEERCRED, `device.link`).
"""

from __future__ import annotations

from dataclasses import dataclass

from device import wire
from device.rooms import PROCESSES, Room
from device.wire import Message

__all__ = ["EDGES", "PROCESSES", "Edge", "Room", "edges_into", "edges_out_of", "permitted"]


@dataclass(frozen=True, slots=True)
class Edge:
    """One permitted connection. `many`: several peers at once (only people's command lines)."""

    listener: Room
    connector: Room
    to_listener: frozenset[type[Message]]
    to_connector: frozenset[type[Message]]
    many: bool = False


def _edge(
    listener: Room,
    connector: Room,
    to_listener: tuple[type[Message], ...],
    to_connector: tuple[type[Message], ...],
    *,
    many: bool = False,
) -> Edge:
    return Edge(listener, connector, frozenset(to_listener), frozenset(to_connector), many)


EDGES: tuple[Edge, ...] = (
    _edge(
        Room.EYE,
        Room.LOCK,
        (wire.Look, wire.ChallengeLog, wire.MotionLog, wire.Close),
        (wire.CameraState, wire.ChallengeRequest, wire.MotionRequest, wire.Breach),
    ),
    _edge(Room.VAULT, Room.EYE, (wire.Probe, wire.Sample, wire.Guidance), ()),
    _edge(
        Room.VAULT,
        Room.LOCK,
        (wire.Window, wire.AskClaim, wire.Close, wire.Retire),
        (
            wire.Verdict,
            wire.ClaimAnswer,
            wire.Guidance,
            wire.FaceReady,
            wire.EnrolmentEnded,
            wire.ActEnded,
            wire.Retired,
            wire.Breach,
        ),
    ),
    _edge(
        Room.VAULT,
        Room.DESK,
        (
            wire.Enrol,
            wire.Erase,
            wire.Pause,
            wire.Resume,
            wire.Renew,
            wire.Rekey,
            wire.AskRecord,
            wire.AskRetirement,
            wire.TryFaces,
            wire.AskHeld,
            wire.SittingOver,
        ),
        (
            wire.Done,
            wire.EnrolHint,
            wire.Attestation,
            wire.RecordAnswer,
            wire.AttestationCopy,
            wire.TryStands,
            wire.Tried,
            wire.Held,
            wire.SittingOver,
        ),
    ),
    _edge(
        Room.KEEPER,
        Room.LOCK,
        (
            wire.CheckPin,
            wire.ProvePin,
            wire.SetPin,
            wire.ChangeCards,
            wire.SlotOffer,
            wire.CardShown,
            wire.CardAnswer,
            wire.CardGone,
            wire.ProveResident,
            wire.Retire,
        ),
        (
            wire.Verdict,
            wire.Answer,
            wire.CardCommand,
            wire.OfferKept,
            wire.Occupied,
            wire.LockedOut,
            wire.Retired,
            wire.Breach,
        ),
    ),
    _edge(
        Room.KEEPER,
        Room.VAULT,
        (wire.HasCredential,),
        (wire.Grant, wire.CredentialAnswer, wire.LastCredentialGone, wire.PlaceEnded),
    ),
    _edge(Room.KEEPER, Room.DESK, (), (wire.GrantTicket,)),
    _edge(
        Room.REPORT,
        Room.LOCK,
        (wire.Occurrence, wire.Ack, wire.Reporting, wire.DoorKeys, wire.DoorState, wire.DailyCount),
        (wire.Document,),
    ),
    _edge(
        Room.DESK,
        Room.LOCK,
        (wire.Ack, wire.DoorStatus, wire.Ended, wire.PageArmed),
        (wire.Document, wire.AskStatus, wire.RetireDoor, wire.Breach),
    ),
    _edge(
        Room.DESK,
        Room.DOORCTL,
        (
            wire.AskStatus,
            wire.Act,
            wire.Document,
            wire.AskRekey,
            wire.QueryRecord,
            wire.RetireDoor,
            wire.AskRetirement,
            wire.TryFaces,
        ),
        (
            wire.DoorStatus,
            wire.Ended,
            wire.EnrolHint,
            wire.Ack,
            wire.AttestationCopy,
            wire.RecordAnswer,
            wire.TryStands,
            wire.Tried,
        ),
        many=True,
    ),
)


def edges_into(room: Room) -> tuple[Edge, ...]:
    """The edges on which `room` listens."""
    return tuple(edge for edge in EDGES if edge.listener is room)


def edges_out_of(room: Room) -> tuple[Edge, ...]:
    """The edges on which `room` connects."""
    return tuple(edge for edge in EDGES if edge.connector is room)


def permitted(edge: Edge, sender: Room) -> frozenset[type[Message]]:
    """What `sender` may send on `edge`."""
    return edge.to_listener if sender is edge.connector else edge.to_connector
