"""Where doors join anybody may connect: what a stranger can and cannot do there, with the real Mosquitto."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from device.report.publisher import What
from device.report.tls import TlsFiles
from provisioning import authority, broker_config, claiming
from provisioning import fleet as fleets
from provisioning.errors import FleetFault, FleetRefused
from provisioning.labels import Where
from tests.support.office import PASSPHRASE, Office
from tests.support.site import HOST, Party, Site, Told, context_of

DOOR, OTHER = "00112233445566ff", "ffeeddccbbaa9988"
REFUSED = "Not authorized"
REQUEST, ANSWER = claiming.request_topic(DOOR), claiming.answer_topic(DOOR)


@contextmanager
def stranger(office: Office, name: str, topics: str = "") -> Iterator[Party]:
    """Somebody who reached the port where doors join, and calls himself `name`."""
    at = cast("Site", SimpleNamespace(port=office.where.claim_port))
    party = Party(at, context_of((office.folder / "ca.pem").read_bytes()), topics, client_id=name)
    with party:
        yield party


def test_request_and_answer_pass_between_a_door_and_its_manager(office: Office) -> None:
    with stranger(office, DOOR, ANSWER) as door:
        assert door.say(REQUEST, b"asked", retain=True) != REFUSED
        assert claiming.fetch(office.where, office.login, DOOR) == b"asked"
        claiming.put(office.where, office.login, DOOR, b"answered")
        door.wait(lambda: door.heard == [(ANSWER, b"answered")])
    with pytest.raises(FleetRefused, match="this door's request is not at the broker"):
        claiming.fetch(office.where, office.login, DOOR, 1.0)
    with stranger(office, DOOR, ANSWER) as later:
        later.wait(lambda: later.heard == [(ANSWER, b"answered")])


@pytest.mark.parametrize(
    "topic",
    [
        claiming.request_topic(OTHER),
        claiming.answer_topic(OTHER),
        ANSWER,
        f"doorward/{DOOR}/report",
        f"doorward/{DOOR}/document",
        f"doorward/{DOOR}/renew",
        "doorward/claim",
        "elsewhere",
        "$SYS/broker/uptime",
    ],
)
def test_stranger_writes_nothing_but_a_request_in_its_own_name(office: Office, topic: str) -> None:
    with stranger(office, DOOR) as door:
        assert door.say(topic, b"forged") == REFUSED
        assert door.say(REQUEST, b"own") != REFUSED


def heard_by_a_spy(office: Office, name: str) -> set[str]:
    """The topics that somebody called `name` gets to hear while another door joins."""
    with stranger(office, name, "#") as spy, stranger(office, OTHER) as other:
        for wanted in (claiming.answer_topic(OTHER), claiming.request_topic(OTHER), f"doorward/claim/{name}/answer"):
            spy.listen(wanted)
        other.say(claiming.request_topic(OTHER), b"asked", retain=True)
        claiming.put(office.where, office.login, OTHER, b"for the other")
        claiming.put(office.where, office.login, DOOR, b"for the door")
        spy.listen(f"doorward/claim/{name}/answer")  # one line, in order: what would come has come before this answer
        return {topic for topic, content in spy.heard if content}


def test_stranger_hears_nothing_but_the_answer_to_its_own_name(office: Office) -> None:
    assert heard_by_a_spy(office, DOOR) == {ANSWER}


@pytest.mark.parametrize("name", ["+", "+/x", f"{OTHER}/answer", "../x"])
def test_name_that_is_a_wildcard_or_a_path_gains_nothing(office: Office, name: str) -> None:
    assert heard_by_a_spy(office, name) <= {f"doorward/claim/{name}/answer"}


def test_seeded_fault_rights_without_a_name_are_noticed(office: Office) -> None:
    office.stop()
    path = office.files / broker_config.CLAIM_RIGHTS
    path.write_text(path.read_text().replace("%c", "+"))
    office.start()
    assert claiming.answer_topic(OTHER) in heard_by_a_spy(office, DOOR)


def door_files(office: Office) -> TlsFiles:
    """A door that has joined before."""
    fleets.open_fleet(office.folder)
    issuer = authority.opened(office.folder, PASSPHRASE)
    site = Site(office.root, issuer, office.port)
    return TlsFiles(site.door_files(DOOR), DOOR)


def lost(told: Told) -> bool:
    """Whether the door loses its connection within a moment."""
    ends = time.monotonic() + 1.5
    while time.monotonic() < ends:
        if any(event.what is What.LOST for event in told.publisher.events()):
            return True
        time.sleep(0.02)
    return False


def test_stranger_in_a_door_s_name_does_not_touch_its_connection_to_the_broker(office: Office) -> None:
    with Told(DOOR, office.port, door_files(office).context) as door:
        door.until(What.CONNECTED)
        with stranger(office, DOOR), stranger(office, "manager/office"):
            assert not lost(door)


def test_seeded_fault_two_ports_of_one_program_would_let_it(office: Office) -> None:
    """Why there are two programs: within one, a name that is taken at one port ends a session at the other."""
    office.stop()
    path = office.files / broker_config.CLAIM_MANAGERS
    path.write_text((office.files / broker_config.RIGHTS).read_text())
    office.start()
    with Told(DOOR, office.where.claim_port + 1, door_files(office).context) as door:
        door.until(What.CONNECTED)
        with stranger(office, DOOR):
            assert lost(door)


def test_port_for_managers_wants_a_certificate(office: Office) -> None:
    at = cast("Site", SimpleNamespace(port=office.where.claim_port + 1))
    party: Any = None
    try:
        party = Party(at, context_of((office.folder / "ca.pem").read_bytes()), "#", client_id="manager/office")
        party.wait(lambda: bool(party.ends))
        assert not party.joined
    except OSError:
        pass  # refused within the handshake
    finally:
        if party is not None:
            party.close()


def test_flood_of_strangers_ends_at_the_limit_of_memory_and_reaches_no_door(office: Office) -> None:
    """With a smaller limit than the generated one: each name keeps one packet, and a test has not thousands of them."""
    office.stop()
    path = office.files / broker_config.CLAIM_CONFIG
    text = path.read_text()
    assert f"memory_limit {broker_config.CLAIM_MEMORY}\n" in text
    path.write_text(text.replace(f"memory_limit {broker_config.CLAIM_MEMORY}", "memory_limit 700000"))
    office.start()
    with Told(DOOR, office.port, door_files(office).context) as door:
        door.until(What.CONNECTED)
        kept = 0
        while kept < 200 and keeps(office, f"flood{kept}"):
            kept += 1
        assert 0 < kept < 100
        assert not lost(door)
    assert [broker.poll() for broker in office.brokers] == [None, None]


def keeps(office: Office, name: str) -> bool:
    """Whether the broker keeps a packet of somebody with this name, and lets them in at all."""
    try:
        with stranger(office, name) as one:
            number = one._client.publish(f"doorward/claim/{name}/request", b"x" * 8000, qos=1, retain=True).mid
            one.wait(lambda: number in one.answers or bool(one.ends))
            return number in one.answers
    except OSError:
        return False


def test_every_option_is_accepted_by_the_real_program(office: Office) -> None:
    lines = office.log.splitlines()
    assert not [line for line in lines if "Error" in line or "Unknown" in line or "Warning" in line]


def test_broker_that_is_away_or_strange_is_one_sentence(office: Office) -> None:
    nowhere = Where(HOST, office.port, 1)
    with pytest.raises(FleetFault, match=r"the broker 127.0.0.1:2 cannot be reached: connection refused"):
        claiming.fetch(nowhere, office.login, DOOR)
    with pytest.raises(FleetRefused, match="there is no certificate of a manager in"):
        claiming.fetch(office.where, office.root, DOOR)
    by_name = Where("localhost", office.port, office.where.claim_port)
    with pytest.raises(FleetFault, match="its certificate is not accepted"):
        claiming.fetch(by_name, office.login, DOOR)
    office.stop()
    code, said = office.run("door", "approve", "Front")
    assert (code, said["reason"]) == (1, 'There is no door named "Front" in this fleet.')
    office.done("door", "add", "Front", "--no-label")
    assert "cannot be reached" in office.run("door", "approve", "Front")[1]["reason"]
    assert "cannot be reached" in office.run("watch", "--once")[1]["reason"]
