"""Where packets may go, and that each that goes elsewhere is told."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from device import config
from device.desk.network import audit, permitted
from device.desk.network.audit import Heard
from device.desk.network.destinations import Going, destinations, judged
from device.desk.network.owners import Held, Owners
from device.desk.network.packets import ARP, IPV6, Packet
from device.desk.network.permitted import Board, Permitted, Place, Use
from device.edges import Room
from device.errors import ConfigRefused
from device.report import broker as broker_of_report
from tests.unit.egress import wire

BY_ADDRESS = permitted.permitted(f"mqtts://{wire.BROKER}", Board(("192.0.2.53",), ("lan",)))
BY_NAME = permitted.permitted("mqtts://Broker.example:8884", Board(("192.0.2.53",), ("lan",)))
BROKER = Place(wire.BROKER, 8883, "tcp")
ME = Place(wire.HERE, 40000, "tcp")


# ---- the list


def test_a_broker_by_address_is_all_that_is_permitted() -> None:
    assert Permitted({BROKER: Use.BROKER}) == BY_ADDRESS


def test_a_broker_by_name_permits_the_name_service_and_the_name() -> None:
    assert set(BY_NAME.places.values()) == {Use.NAMES}
    assert {str(place) for place in BY_NAME.places} == {"192.0.2.53:53/udp", "192.0.2.53:53/tcp"}
    assert BY_NAME.names == {"broker.example", "broker.example.lan"}
    known = BY_NAME.knowing([("broker.example", "198.51.100.4"), ("other.example", "198.51.100.5")])
    assert known.use(Place("198.51.100.4", 8884, "tcp")) is Use.BROKER
    assert known.use(Place("198.51.100.5", 8884, "tcp")) is None


def test_without_a_broker_nothing_is_permitted() -> None:
    assert permitted.permitted("", Board(("192.0.2.53",))) == Permitted()
    assert permitted.permitted("", Board()).lines == ("nothing: this door has no broker",)


@pytest.mark.parametrize("broker", ["mqtts://[broker.example]", "mqtt://[::1", "mqtt://127.0.0.1:99999", "mqtt://h:x"])
def test_a_broker_that_door_toml_may_name_and_report_does_not_take_is_a_sentence(broker: str) -> None:
    config.parse(f'[door]\nid = "{"00" * 8}"\n[report]\nbroker = "{broker}"\n')
    for refusing in (lambda: permitted.permitted(broker, Board()), lambda: broker_of_report.parse(broker)):
        with pytest.raises(ConfigRefused, match=r"\[report\] broker must be"):
            refusing()


def test_a_time_service_is_permitted_only_if_somebody_named_one(tmp_path: Path) -> None:
    (tmp_path / "etc/systemd").mkdir(parents=True)
    (tmp_path / "etc/resolv.conf").write_text("# \nnameserver 192.0.2.53\nnameserver fe80::1%eth0\nsearch lan\n")
    (tmp_path / "etc/systemd/timesyncd.conf").write_text("[Time]\n#NTP=no\nNTP=old\nNTP=\nNTP=192.0.2.9 ntp.example\n")
    board = permitted.board_of(tmp_path)
    assert board == Board(("192.0.2.53", "fe80::1"), ("lan",), ("192.0.2.9", "ntp.example"))
    allowed = permitted.permitted("mqtt://localhost", board)
    assert allowed.use(Place("192.0.2.9", 123, "udp")) is Use.TIME
    assert allowed.use(Place("127.0.0.1", 1883, "tcp")) is Use.BROKER
    assert allowed.names == {"ntp.example", "ntp.example.lan"}
    assert permitted.board_of(tmp_path / "nowhere") == Board()


# ---- each packet


@pytest.mark.parametrize(
    ("packet", "going"),
    [
        (wire.over_tcp(), Going.PERMITTED),
        (wire.over_tcp(to=(wire.BROKER, 22)), Going.FORBIDDEN),
        (wire.over_tcp(to=(wire.STRANGER, 8883)), Going.FORBIDDEN),
        (wire.over_udp(b"x", to=(wire.BROKER, 8883)), Going.FORBIDDEN),
        (wire.over_udp(b"x", to=("192.0.2.53", 53)), Going.FORBIDDEN),
        (wire.over_tcp(by=(wire.BROKER, 8883), to=(wire.HERE, 9), interface="lo"), Going.ANSWER),
        (wire.over_tcp(by=(wire.BROKER, 8883), to=(wire.STRANGER, 9)), Going.FORBIDDEN),
        (wire.sent(b"\0\1", ethertype=ARP), Going.LINK),
        (wire.sent(b"\0\1", ethertype=0x88CC), Going.FORBIDDEN),
        (wire.sent(wire.ipv6(58, b"\x87\0\0\0"), ethertype=IPV6), Going.LINK),
        (wire.sent(wire.ipv6(58, b"\x80\0\0\0"), ethertype=IPV6), Going.FORBIDDEN),
        (wire.sent(wire.ipv4(wire.HERE, wire.BROKER, 1, b"\x08\0\0\0")), Going.FORBIDDEN),
        (wire.sent(wire.ipv4(wire.HERE, wire.BROKER, 6, wire.tcp(1, 8883), fragment=1)), Going.FORBIDDEN),
        (wire.sent(b"rubbish"), Going.FORBIDDEN),
    ],
)
def test_a_packet_is_judged_by_where_it_goes(packet: Packet, going: Going) -> None:
    assert judged(packet, BY_ADDRESS) is going


def test_an_answer_of_the_name_service_permits_an_address_and_nobody_elses_does() -> None:
    for server, well in (("192.0.2.53", True), (wire.STRANGER, False)):
        told = wire.over_udp(
            wire.answer("broker.example", wire.BROKER), by=(server, 53), to=(wire.HERE, 9), outgoing=False
        )
        way = destinations([told, wire.over_tcp(to=(wire.BROKER, 8884))], BY_NAME)
        assert way.well is well


def test_names_that_nobody_permitted_are_told() -> None:
    asked = [wire.over_udp(wire.question(name), to=("192.0.2.53", 53)) for name in ("broker.example", "7391.example")]
    way = destinations(asked, BY_NAME)
    assert (way.names, way.names_forbidden) == (("7391.example", "broker.example"), ("7391.example",))
    assert not way.forbidden
    assert not way.well


# ---- the audit


def owners(*held: Held) -> Owners:
    made = Owners(simulated=True)
    made.sockets = {(each.near, each.far): each for each in held}
    return made


def holds(room: Room | None, near: Place, far: Place, *, listening: bool = False, pid: int = 7) -> Held:
    return Held(near, far, listening, 990, "python3", room, pid)


def states(packets: Iterable[Packet], held: Owners, trouble: str = "") -> dict[str, str]:
    heard = Heard(tuple(packets), BY_ADDRESS, held, trouble)
    audit.facts(heard)
    return {each.name: each.state.value for each in audit.findings(heard)}


WELL = {"recording": "ok", "destinations": "ok", "names": "ok", "rooms": "ok", "report": "ok", "calls": "ok"}
WELL |= {"sockets": "ok", "namespaces": "ok", "bluetooth": "ok"}
NOBODY = Place("0.0.0.0", 0, "tcp")  # noqa: S104 - compared, not bound
SSH = Place("0.0.0.0", 22, "tcp")  # noqa: S104 - likewise
CALL = [
    wire.over_tcp(by=(wire.STRANGER, 5000), to=(wire.HERE, 22), flags=wire.SYN, outgoing=False),
    wire.over_tcp(by=(wire.HERE, 22), to=(wire.STRANGER, 5000), flags=wire.SYN | wire.ACK),
    wire.over_tcp(b"data", by=(wire.HERE, 22), to=(wire.STRANGER, 5000)),
]


def test_a_door_that_speaks_with_its_broker_alone_is_well() -> None:
    assert states([wire.over_tcp()], owners(holds(Room.REPORT, ME, BROKER))) == WELL


def test_report_elsewhere_another_room_and_a_lost_packet_fail() -> None:
    elsewhere = Place(wire.STRANGER, 443, "tcp")
    assert states([], owners(holds(Room.REPORT, ME, elsewhere)))["report"] == "FAILED"
    for room in (Room.VAULT, Room.EYE, Room.KEEPER, Room.LOCK, Room.DESK):
        assert states([], owners(holds(room, ME, BROKER)))["rooms"] == "FAILED"
    assert states([], owners(), "3 packets were lost")["recording"] == "FAILED"


def test_a_rooms_raw_socket_fails() -> None:
    raw = Place("", 4711, "packet")
    assert states([], owners(holds(Room.EYE, raw, Place("", 0, "packet"))))["rooms"] == "FAILED"
    assert states([], owners(holds(Room.REPORT, raw, Place("", 0, "packet"))))["report"] == "FAILED"


def test_a_packet_elsewhere_fails_whoever_sent_it_and_says_who() -> None:
    stray = wire.over_tcp(to=(wire.STRANGER, 443), flags=wire.SYN)
    held = owners(holds(None, ME, Place(wire.STRANGER, 443, "tcp")))
    assert states([stray], held)["destinations"] == "FAILED"
    sentences = [each.sentence for each in audit.findings(Heard((stray,), BY_ADDRESS, held))]
    assert any(f"{wire.STRANGER}:443/tcp" in each and "python3 (user 990)" in each for each in sentences)


def test_a_maintainers_call_is_told_and_one_that_a_room_answers_fails() -> None:
    assert states(CALL, owners(holds(None, SSH, NOBODY, listening=True)))["calls"] == "skipped"
    assert states(CALL, owners(holds(None, SSH, NOBODY, listening=True)))["destinations"] == "ok"
    assert states(CALL, owners(holds(Room.DESK, SSH, NOBODY, listening=True)))["calls"] == "FAILED"


STOOD = [  # a connection from before the recording, on which the other side happens to speak first
    wire.over_tcp(b"go", by=(wire.STRANGER, 443), to=(wire.HERE, 40000), outgoing=False),
    wire.over_tcp(b"pin", to=(wire.STRANGER, 443)),
]


def test_a_connection_from_before_the_recording_is_judged_whoever_speaks_first() -> None:
    held = owners(holds(None, ME, Place(wire.STRANGER, 443, "tcp")))
    for packets in (STOOD, STOOD[::-1]):
        assert states(packets, held)["destinations"] == "FAILED"
        assert states(packets, owners())["destinations"] == "FAILED", "nobody was seen holding it"


def test_a_maintainers_session_from_before_the_recording_is_told_whoever_speaks_first() -> None:
    ssh = owners(holds(None, SSH, NOBODY, listening=True))
    back = wire.over_tcp(b"ls", by=(wire.STRANGER, 5000), to=(wire.HERE, 22), outgoing=False)
    for packets in ([CALL[-1], back], [back, CALL[-1]]):
        found = states(packets, ssh)
        assert (found["destinations"], found["calls"]) == ("ok", "skipped")


def test_what_is_answered_without_a_connection_is_a_rooms_answer_or_judged() -> None:
    asked = wire.over_udp(b"?", by=(wire.STRANGER, 9), to=(wire.HERE, 40001), outgoing=False)
    packets = [asked, wire.over_udp(b"pin", to=(wire.STRANGER, 9))]
    anywhere, nobody = Place("0.0.0.0", 40001, "udp"), Place("0.0.0.0", 0, "udp")  # noqa: S104 - compared, not bound
    assert states(packets, owners(holds(Room.REPORT, anywhere, nobody)))["calls"] == "FAILED"
    assert states(packets, owners())["destinations"] == "FAILED"
    assert states(packets, owners(holds(None, anywhere, nobody)))["calls"] == "skipped"
    assert states(packets[::-1], owners(holds(None, anywhere, nobody)))["destinations"] == "FAILED"


def test_a_rooms_socket_for_pings_fails() -> None:
    ping, nobody = Place("0.0.0.0", 3, "icmp"), Place("0.0.0.0", 0, "icmp")  # noqa: S104 - compared, not bound
    assert states([], owners(holds(Room.EYE, ping, nobody)))["rooms"] == "FAILED"
    assert states([], owners(holds(Room.REPORT, ping, nobody)))["report"] == "FAILED"


def test_a_call_that_this_side_began_is_none_from_outside() -> None:
    mine = [wire.over_tcp(to=(wire.STRANGER, 22), flags=wire.SYN), wire.over_tcp(b"x", to=(wire.STRANGER, 22))]
    assert states(mine, owners())["destinations"] == "FAILED"


def test_a_process_may_speak_with_itself_and_with_no_neighbour_on_loopback() -> None:
    one, other = Place("127.0.0.1", 1, "tcp"), Place("127.0.0.1", 2, "tcp")
    itself = owners(holds(Room.REPORT, one, other), holds(Room.REPORT, other, one))
    neighbour = owners(holds(Room.REPORT, one, other), holds(None, other, one, pid=8))
    assert states([], itself)["report"] == "skipped"
    assert states([], neighbour)["report"] == "FAILED"
    talk = wire.over_tcp(by=("127.0.0.1", 1), to=("127.0.0.1", 2), interface="lo")
    assert destinations([talk], BY_ADDRESS, itself.of_itself()).well
    assert not destinations([talk], BY_ADDRESS, neighbour.of_itself()).well


def test_what_a_room_says_to_a_neighbour_on_loopback_fails_without_a_connection_too() -> None:
    content = wire.ipv4("127.0.0.1", "127.0.0.1", 17, wire.udp(5, 9, b"pin"))
    packet = wire.sent(content, interface="lo")
    anywhere = Place("0.0.0.0", 5, "udp")  # noqa: S104 - compared, not bound
    unconnected = Place("0.0.0.0", 0, "udp")  # noqa: S104 - likewise
    assert states([packet], owners(holds(Room.REPORT, anywhere, unconnected)))["destinations"] == "FAILED"
    assert states([packet], owners(holds(None, anywhere, unconnected)))["destinations"] == "ok"


def test_of_several_holders_of_a_socket_the_part_of_the_door_counts(tmp_path: Path) -> None:
    """The service manager keeps the sockets that it hands over, and could be taken for who answers at the page."""
    net = tmp_path / "thread-self/net"
    net.mkdir(parents=True)
    (net / "tcp").write_text(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 00000000:20FB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 700 1 0\n"
    )
    for pid, name, words in (
        (5, "python", b"-m\0device.desk\0"),
        (1, "systemd", b"--system\0"),
        (9, "fds", b"x\0"),
    ):
        process = tmp_path / str(pid)
        (process / "fd").mkdir(parents=True)
        (process / "comm").write_text(f"{name}\n")
        (process / "cmdline").write_bytes(b"/usr/bin/it\0" + words)
        (process / "fd/3").symlink_to("socket:[700]")
    found = Owners(tmp_path, simulated=True)
    found.look()
    assert [each.room for each in found.sockets.values()] == [Room.DESK]


def test_owners_are_read_from_proc(tmp_path: Path) -> None:
    net, process = tmp_path / "thread-self/net", tmp_path / "77"
    net.mkdir(parents=True)
    (process / "fd").mkdir(parents=True)
    (net / "tcp").write_text(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 020200C0:9C40 010200C0:22B3 01 00000000:00000000 00:00000000 00000000   990        0 555 1 0\n"
        "   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 556 1 0\n"
    )
    (net / "icmp").write_text(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer\n"
        "  10: 00000000:0003 00000000:0000 07 00000000:00000000 00:00000000 00000000   990        0 558 2 0 0\n"
    )
    (net / "packet").write_text("sk RefCnt Type Proto Iface R Rmem User Inode\n0 3 3 0003 0 1 0 0 557\n")
    (process / "comm").write_text("python3\n")
    (process / "cmdline").write_bytes(b"/usr/bin/python3\0-m\0device.report\0")
    (process / "fd/3").symlink_to("socket:[555]")
    (process / "fd/4").symlink_to("socket:[557]")
    (process / "fd/5").symlink_to("socket:[558]")
    found = Owners(tmp_path, simulated=True)
    found.look()
    held = found.of(ME, BROKER)
    assert held is not None
    assert (held.room, held.uid, held.pid, held.listening) == (Room.REPORT, 990, 77, False)
    ssh = found.listens(Place(wire.HERE, 22, "tcp"))
    assert ssh is not None
    assert ssh.who == "? (user 0)"
    assert {each.near.protocol for each in found.of_rooms()} == {"tcp", "packet", "icmp"}
