"""The table of edges keeps the walls, and a table that does not is caught by the same function."""

from __future__ import annotations

from dataclasses import replace

import pytest

from device import edges, wire
from device.edges import EDGES, PROCESSES, Edge, Room
from device.wire import Message
from tests.unit.shared.strategies import TYPES
from tests.unit.shared.walls import broken, personal_fields


def edge_of(listener: Room, connector: Room) -> Edge:
    return next(edge for edge in EDGES if (edge.listener, edge.connector) == (listener, connector))


def with_edge(listener: Room, connector: Room, to_listener: type[Message] | None = None) -> tuple[Edge, ...]:
    return (*EDGES, Edge(listener, connector, frozenset({to_listener} if to_listener else ()), frozenset()))


def with_more(
    listener: Room,
    connector: Room,
    *,
    to_listener: type[Message] | None = None,
    to_connector: type[Message] | None = None,
) -> tuple[Edge, ...]:
    old = edge_of(listener, connector)
    new = replace(
        old,
        to_listener=old.to_listener | ({to_listener} if to_listener else set()),
        to_connector=old.to_connector | ({to_connector} if to_connector else set()),
    )
    return tuple(new if edge is old else edge for edge in EDGES)


def test_the_house_has_no_hole() -> None:
    assert broken(EDGES) == []


SEEDED = {
    "eye to report": with_edge(Room.REPORT, Room.EYE, wire.Occurrence),
    "report to eye": with_edge(Room.EYE, Room.REPORT),
    "eye to desk": with_edge(Room.DESK, Room.EYE, wire.Guidance),
    "eye to the command line": with_edge(Room.EYE, Room.DOORCTL),
    "report to vault": with_edge(Room.VAULT, Room.REPORT),
    "keeper to report": with_edge(Room.REPORT, Room.KEEPER, wire.Occurrence),
    "desk to report": with_edge(Room.REPORT, Room.DESK),
    "desk at lock": with_edge(Room.LOCK, Room.DESK, wire.Document),
    "report at lock": with_edge(Room.LOCK, Room.REPORT, wire.Document),
    "command line at vault": with_edge(Room.VAULT, Room.DOORCTL),
    "two edges for one pair": with_edge(Room.EYE, Room.LOCK, wire.Look),
    "the grant with its slot to desk": with_more(Room.KEEPER, Room.DESK, to_connector=wire.Grant),
    "digits to desk": with_more(Room.DESK, Room.LOCK, to_listener=wire.CheckPin),
    "a new PIN from the command line": with_more(Room.DESK, Room.DOORCTL, to_listener=wire.SetPin),
    "a template to desk": with_more(Room.VAULT, Room.DESK, to_connector=wire.Probe),
    "who came home to report": with_more(Room.REPORT, Room.LOCK, to_listener=wire.Verdict),
    "an offer to report": with_more(Room.REPORT, Room.LOCK, to_listener=wire.SlotOffer),
    "a document's room to report": with_more(Room.REPORT, Room.LOCK, to_listener=wire.Document),
    "a verdict by eye": with_more(Room.EYE, Room.LOCK, to_connector=wire.Verdict),
    "a verdict by desk": with_more(Room.DESK, Room.LOCK, to_connector=wire.Verdict),
    "a verdict from eye to vault": with_more(Room.VAULT, Room.EYE, to_listener=wire.Verdict),
    "a claim asked by desk": with_more(Room.VAULT, Room.DESK, to_listener=wire.AskClaim),
    "a claim answered to desk": with_more(Room.VAULT, Room.DESK, to_connector=wire.ClaimAnswer),
    "a claim answered to the command line": with_more(Room.DESK, Room.DOORCTL, to_connector=wire.ClaimAnswer),
    "a claim announced to eye": with_more(Room.VAULT, Room.EYE, to_connector=wire.Window),
    "a credential asked about by lock": with_more(Room.KEEPER, Room.LOCK, to_listener=wire.HasCredential),
    "who moved in, to lock": with_more(Room.KEEPER, Room.LOCK, to_connector=wire.CredentialAnswer),
    "a signed paper to report": with_more(Room.REPORT, Room.LOCK, to_listener=wire.AttestationCopy),
    "a signed paper to lock's side of desk": with_more(Room.DESK, Room.LOCK, to_listener=wire.Attestation),
    "two vaults at keeper": tuple(
        replace(edge, many=True) if edge is edge_of(Room.KEEPER, Room.VAULT) else edge for edge in EDGES
    ),
}


@pytest.mark.parametrize("seeded", SEEDED.values(), ids=SEEDED)
def test_a_seeded_hole_is_caught(seeded: tuple[Edge, ...]) -> None:
    assert broken(seeded)


@pytest.mark.parametrize("msg", [wire.CheckPin, wire.Window, wire.AskClaim, wire.Grant, wire.Probe, wire.Sample])
def test_the_check_knows_what_is_personal(msg: type[Message]) -> None:
    assert personal_fields(msg)


@pytest.mark.parametrize("msg", [wire.GrantTicket, wire.Occurrence, wire.DoorStatus, wire.Done, wire.RecordAnswer])
def test_what_goes_outward_is_about_nobody(msg: type[Message]) -> None:
    assert personal_fields(msg) == []


def test_every_message_travels_on_an_edge_and_every_edge_carries_messages_of_ours() -> None:
    travelling = {msg for edge in EDGES for msg in edge.to_listener | edge.to_connector}
    assert travelling == set(TYPES)


def test_what_reaches_report_is_a_handful_of_bytes() -> None:
    heard = [msg for edge in edges.edges_into(Room.REPORT) for msg in edge.to_listener]
    assert {msg: wire.body_size(msg) for msg in heard} == {
        wire.Occurrence: 1,
        wire.Ack: 5,
        wire.Reporting: 33,
        wire.DoorKeys: 36,
        wire.DoorState: 2,
        wire.DailyCount: 8,
    }
    assert edges.edges_out_of(Room.REPORT) == ()


def test_what_the_door_signs_goes_to_people_alone_and_is_smaller_than_a_template() -> None:
    papers = (wire.Attestation, wire.AttestationCopy)
    carried = {
        (edge.listener, edge.connector, msg)
        for edge in EDGES
        for msg in edge.to_listener | edge.to_connector
        if msg in papers
    }
    assert carried == {
        (Room.VAULT, Room.DESK, wire.Attestation),
        (Room.VAULT, Room.DESK, wire.AttestationCopy),
        (Room.DESK, Room.DOORCTL, wire.AttestationCopy),
    }
    assert all(wire.body_size(msg) < wire.EMBEDDING_BYTES for msg in papers)


def test_both_ends_of_an_edge_agree_on_who_may_say_what() -> None:
    for edge in EDGES:
        assert edges.permitted(edge, edge.connector) == edge.to_listener
        assert edges.permitted(edge, edge.listener) == edge.to_connector
        assert edge in edges.edges_into(edge.listener)
        assert edge in edges.edges_out_of(edge.connector)
    assert sum(len(edges.edges_into(room)) for room in Room) == len(EDGES)


def test_the_six_processes_are_all_rooms_but_the_command_line() -> None:
    assert sorted(PROCESSES) == sorted(set(Room) - {Room.DOORCTL})
    assert PROCESSES[0] is Room.KEEPER, "whoever opens with a PIN waits for nobody else"
