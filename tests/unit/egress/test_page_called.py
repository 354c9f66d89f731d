"""The residents' page in an audit of the network: called where door.toml says, by the local network, no more."""

import dataclasses
from collections.abc import Iterable
from ipaddress import ip_network
from pathlib import Path

import pytest

from device.config.tables import PageTable
from device.desk.network import audit, links, permitted
from device.desk.network.audit import Heard
from device.desk.network.destinations import Going, destinations, judged
from device.desk.network.owners import Held, Owners
from device.desk.network.packets import Packet
from device.desk.network.permitted import Board, Called, Permitted, Place
from device.edges import Room
from tests.unit.egress import wire

PORT = 8443
NEIGHBOUR, OUTSIDE = "192.0.2.77", wire.STRANGER
BOARD = Board(links=(ip_network("192.0.2.0/24"),))
WITHOUT = permitted.permitted(f"mqtts://{wire.BROKER}", BOARD, PageTable())
WITH = permitted.permitted(f"mqtts://{wire.BROKER}", BOARD, PageTable(port=PORT))
AT_ONE = permitted.permitted(f"mqtts://{wire.BROKER}", BOARD, PageTable(port=PORT, address=wire.HERE))
NOBODY = Place("0.0.0.0", 0, "tcp")  # noqa: S104 - compared, not bound
WAITS = Place("0.0.0.0", PORT, "tcp")  # noqa: S104 - likewise
ME = Place(wire.HERE, PORT, "tcp")


def holds(room: Room | None, near: Place, far: Place, *, listening: bool = False) -> Held:
    return Held(near, far, listening, 990, "python3", room, 7 if room else 8)


def owners(*held: Held) -> Owners:
    made = Owners(simulated=True)
    made.sockets = {(each.near, each.far): each for each in held}
    return made


SERVED = holds(Room.DESK, WAITS, NOBODY, listening=True)


def call(by: str, port: int = PORT) -> list[Packet]:
    """Somebody calls, and is answered."""
    return [
        wire.over_tcp(by=(by, 5000), to=(wire.HERE, port), flags=wire.SYN, outgoing=False),
        wire.over_tcp(by=(wire.HERE, port), to=(by, 5000), flags=wire.SYN | wire.ACK),
        wire.over_tcp(b"page", by=(wire.HERE, port), to=(by, 5000)),
    ]


def states(packets: Iterable[Packet], held: Owners, allowed: Permitted = WITH) -> dict[str, str]:
    return {each.name: each.state.value for each in audit.findings(Heard(tuple(packets), allowed, held)) if each.name}


def bad(packets: Iterable[Packet], held: Owners, allowed: Permitted = WITH) -> set[str]:
    return {name for name, state in states(packets, held, allowed).items() if state == "FAILED"}


def test_what_may_be_called_follows_from_door_toml() -> None:
    assert WITHOUT.page is None
    assert WITH.page == Called(PORT, "", BOARD.links)
    assert WITH.places == WITHOUT.places, "to be called permits no call"
    assert [line for line in WITH.lines if line not in WITHOUT.lines] == [
        "port 8443/tcp: the residents' page, which the local network may call"
    ]
    assert AT_ONE.lines[-1].startswith("192.0.2.2:8443/tcp: ")
    assert permitted.permitted("", Board(), PageTable(port=PORT)).lines[0] == "nothing: this door has no broker"


def test_a_call_from_the_local_network_is_expected_with_a_page_and_unexpected_without() -> None:
    conversation = holds(Room.DESK, ME, Place(NEIGHBOUR, 5000, "tcp"))
    for held in (owners(SERVED), owners(SERVED, conversation)):
        assert bad(call(NEIGHBOUR), held) == set()
        assert states(call(NEIGHBOUR), held)["page"] == "ok"
        assert bad(call(NEIGHBOUR), held, WITHOUT) == {"rooms", "calls"}
    found = {each.name: each.sentence for each in audit.findings(Heard(tuple(call(NEIGHBOUR)), WITH, owners(SERVED)))}
    assert NEIGHBOUR in found["page"]
    assert audit.facts(Heard(tuple(call(NEIGHBOUR)), WITH, owners(SERVED)))["callers"] == [NEIGHBOUR]


def test_a_page_that_nobody_calls_is_told_and_one_that_is_not_there_too() -> None:
    assert (bad([], owners(SERVED)), states([], owners(SERVED))["page"]) == (set(), "ok")
    assert states([], owners())["page"] == "skipped"
    assert "page" not in states([], owners(), WITHOUT)


def test_a_call_from_beyond_the_local_network_fails() -> None:
    assert bad(call(OUTSIDE), owners(SERVED)) == {"page"}
    stood = holds(Room.DESK, ME, Place(OUTSIDE, 5000, "tcp"))
    assert bad([], owners(SERVED, stood)) == {"page"}, "though it says nothing meanwhile"


def test_desk_at_another_port_or_address_and_another_room_at_the_page_fail() -> None:
    for near in (Place("0.0.0.0", 22, "tcp"), Place("0.0.0.0", PORT, "udp")):  # noqa: S104 - compared, not bound
        assert "rooms" in bad([], owners(SERVED, holds(Room.DESK, near, NOBODY, listening=True)))
    assert bad(call(NEIGHBOUR), owners(SERVED), AT_ONE) == {"rooms", "calls"}, "it waits at more than was chosen"
    for room in (Room.EYE, Room.VAULT, Room.KEEPER, Room.LOCK, Room.REPORT):
        taken = owners(holds(room, WAITS, NOBODY, listening=True))
        assert bad(call(NEIGHBOUR), taken) >= {"calls"}, room
    assert "rooms" in bad([], owners(holds(Room.EYE, WAITS, NOBODY, listening=True)))


def test_one_chosen_address_is_kept_to() -> None:
    there = holds(Room.DESK, ME, NOBODY, listening=True)
    assert bad(call(NEIGHBOUR), owners(there), AT_ONE) == set()


def test_desk_that_calls_somebody_fails_from_the_port_of_its_page_too() -> None:
    """Whoever took desk over has no socket to call with; if they had one, a page would not hide it."""
    for far in (NEIGHBOUR, OUTSIDE):
        calls = [
            wire.over_tcp(by=(wire.HERE, PORT), to=(far, 443), flags=wire.SYN),
            wire.over_tcp(b"face", by=(wire.HERE, PORT), to=(far, 443)),
        ]
        assert "destinations" in bad(calls, owners(SERVED, holds(Room.DESK, ME, Place(far, 443, "tcp"))))


def test_on_loopback_the_page_answers_and_calls_nobody() -> None:
    here = Place("127.0.0.1", PORT, "tcp")
    caller = Place("127.0.0.1", 5000, "tcp")
    held = owners(SERVED, holds(Room.DESK, here, caller), holds(None, caller, here))
    answer = wire.over_tcp(by=("127.0.0.1", PORT), to=("127.0.0.1", 5000), interface="lo")
    assert bad([answer], held) == set()
    assert bad([answer], held, WITHOUT) == {"destinations", "rooms"}
    began = dataclasses.replace(answer, flags=wire.SYN)
    assert judged(answer, WITH) is Going.PAGE
    assert judged(began, WITH) is Going.FORBIDDEN
    # On a cable the packet alone does not tell who began: that is seen from the whole recording, or not at all.
    assert judged(dataclasses.replace(answer, interface="eth0"), WITH) is Going.FORBIDDEN
    assert bad([began], held) == {"destinations"}
    (went,) = destinations([answer], WITH).went
    assert went.place.port == 0, "one line for all callers"


@pytest.mark.parametrize("fault", ["whoever calls", "whatever desk holds", "whoever holds it"])
def test_a_judge_that_asks_less_is_found_out(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """Each of the three questions taken out once: what the tests above call failed passes then."""
    cases: dict[str, tuple[list[Packet], Owners]] = {
        "whoever calls": (call(OUTSIDE), owners(SERVED)),
        "whatever desk holds": (
            [],
            owners(SERVED, holds(Room.DESK, Place(wire.HERE, 22, "tcp"), NOBODY, listening=True)),
        ),
        "whoever holds it": ([], owners(holds(Room.EYE, WAITS, NOBODY, listening=True))),
    }
    packets, held = cases[fault]
    assert bad(packets, held)
    match fault:
        case "whoever calls":
            monkeypatch.setattr(Called, "may_call", lambda *_: True)
        case "whatever desk holds":
            monkeypatch.setattr(Called, "at", lambda *_: True)
        case _:
            monkeypatch.setattr(audit, "_of_page", lambda heard, *_: heard.allowed.page is not None)
    assert not bad(packets, held)


# ---- the local network


ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth0\t00713300\t010200C0\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0
tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0
lo\tzz
"""
ROUTES_6 = f"""20010db8000100020000000000000000 40 {"0" * 32} 00 {"0" * 32} 00000100 1 0 00000001 eth0
{"0" * 32} 00 {"0" * 32} 00 fe80{"0" * 27}1 00000400 1 0 00000003 eth0
20010db8000100030000000000000000 40 {"0" * 32} 00 fe80{"0" * 27}1 00000400 1 0 00000003 eth0
20010db8000100020000000000000009 80 {"0" * 32} 00 {"0" * 32} 00000000 1 0 80200001 eth0
ff000000000000000000000000000000 08 {"0" * 32} 00 {"0" * 32} 00000100 1 0 00000001 eth0
"""


def test_links_are_read_from_the_routes_without_a_router(tmp_path: Path) -> None:
    net = tmp_path / "proc/thread-self/net"
    net.mkdir(parents=True)
    (net / "route").write_text(ROUTES)
    (net / "ipv6_route").write_text(ROUTES_6)
    found = links.on_link(tmp_path)
    assert found == (ip_network("192.0.2.0/24"), ip_network("2001:db8:1:2::/64"))
    assert permitted.board_of(tmp_path).links == found
    assert links.on_link(tmp_path / "nowhere") == ()


@pytest.mark.parametrize(
    ("address", "local"),
    [
        *(("10.1.2.3", True), ("172.31.0.1", True), ("192.168.2.9", True), ("169.254.9.9", True), ("127.0.0.1", True)),
        *(("fe80::9", True), ("fd12::1", True), ("::1", True), ("192.0.2.200", True), ("2001:db8:1:2::5", True)),
        *(("172.32.0.1", False), ("203.0.113.9", False), ("2001:db8:1:3::5", False), ("100.64.0.1", False)),
        *(("", False), ("door.local", False)),
    ],
)
def test_the_local_network_is_a_link_of_this_machine_or_private(address: str, local: bool) -> None:
    assert links.is_local(address, (ip_network("192.0.2.0/24"), ip_network("2001:db8:1:2::/64"))) is local
