"""Several doors on one machine, one manager, one broker: each is its own."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from device.edges import PROCESSES, Room
from tests.support.door import NOTED, OPENED, PATIENCE_S, REFUSED, Home, Manager, door_up
from tests.support.mosquitto import Subscriber, running_broker

IDS = ("aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb", "cccccccccccccccc")
PINS = ("482913", "739164", "905217")
SLOT = 12


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[Home], Subscriber]]:
    """Three doors, started at the same time; the resident of each has the same flat number and another PIN."""
    manager = Manager()
    with ExitStack() as stack:
        broker = stack.enter_context(running_broker(tmp_path_factory.mktemp("broker")))
        witness = stack.enter_context(Subscriber(broker))
        homes = [
            stack.enter_context(door_up(started=False, door_id=one, manager=manager, broker=broker.url, cadence_s=1))
            for one in IDS
        ]
        starts = [subprocess.Popen(home.command("doorsim", "up"), env=home.environ()) for home in homes]
        assert [start.wait(2 * PATIENCE_S) for start in starts] == [0, 0, 0]
        for home, pin in zip(homes, PINS, strict=True):
            home.move_in(SLOT, pin)
        yield homes, witness


def test_each_door_opens_for_its_own_pin_only(street: tuple[list[Home], Subscriber]) -> None:
    homes, _ = street
    for home in homes:
        others = [each for each in homes if each is not home]
        before = [each.door.state()["releases"] for each in others]
        for each, pin in zip(homes, PINS, strict=True):
            assert home.types(f"{SLOT}#{pin}#") == (OPENED if each is home else REFUSED)
            home.goes_in()
        assert [each.door.state()["releases"] for each in others] == before


def test_document_for_one_door_is_refused_by_another(street: tuple[list[Home], Subscriber]) -> None:
    (first, second, _), _ = street
    versions = [home.status()["policy_version"] for home in (first, second)]
    content, invitation = first.manager.offer(first.door_id, 34)
    said = second.apply(content)
    assert (said.code, said.facts["result"]) == (1, "wrong_door")
    assert second.types(f"00#34#{invitation.digits}#846205#846205#") == REFUSED
    assert first.apply(content).code == 0
    assert first.types(f"00#34#{invitation.digits}#846205#846205#") == NOTED
    assert [home.status()["policy_version"] for home in (first, second)] == [first.manager.version, versions[1]]


def test_document_of_another_manager_is_refused(street: tuple[list[Home], Subscriber]) -> None:
    (first, _, _), _ = street
    content, _ = Manager(version=1000, doors=first.manager.doors).offer(first.door_id, 35)  # the key is public
    said = first.apply(content)
    assert (said.code, said.facts["result"]) == (1, "unsigned")


def test_every_flipped_bit_of_a_document_is_noticed(street: tuple[list[Home], Subscriber]) -> None:
    (first, _, _), _ = street
    content, _ = first.manager.offer(first.door_id, 36)
    before = first.status()["policy_version"]
    for at in range(0, len(content), 23):
        damaged = content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]
        said = first.apply(damaged)
        assert said.code == 1
        assert said.facts["result"] in ("unsigned", "malformed"), said
    for cut in (content[:-1], content + b"\0", content[:20]):
        assert first.apply(cut).code == 1
    assert first.status()["policy_version"] == before


def test_killing_a_room_of_one_door_touches_no_other(street: tuple[list[Home], Subscriber]) -> None:
    (first, second, _), _ = street
    pids = second.door.state()["pids"]
    for room in PROCESSES:
        first.door.kill(room)
    first.well()
    assert second.door.state()["pids"] == pids
    assert first.types(f"{SLOT}#{PINS[0]}#") == OPENED
    assert second.types(f"{SLOT}#{PINS[1]}#") == OPENED


def test_each_door_reports_under_its_own_name(street: tuple[list[Home], Subscriber]) -> None:
    homes, witness = street
    homes[0].door.tamper(on=True)
    witness.wait_for(lambda seen: any(each.topic == f"doorward/{IDS[0]}/alarm" for each in seen), PATIENCE_S)
    for one in IDS:
        witness.wait_for(lambda seen, one=one: any(s.topic == f"doorward/{one}/report" for s in seen), PATIENCE_S)  # type: ignore[misc]
    for each in witness.seen:
        _, one, kind = each.topic.split("/")
        assert one in IDS
        assert kind == "availability" or f'"door":"{one}"'.encode() in each.payload
    assert not [each for each in witness.seen if each.topic.endswith("alarm") and IDS[0] not in each.topic]


def test_a_door_is_switched_off_alone(street: tuple[list[Home], Subscriber]) -> None:
    (first, second, third), _ = street
    third.down()
    assert not third.door.running()
    assert first.well()["rooms"][Room.DESK]
    assert second.types(f"{SLOT}#{PINS[1]}#") == OPENED
    third.up()
    assert third.types(f"{SLOT}#{PINS[2]}#") == OPENED
