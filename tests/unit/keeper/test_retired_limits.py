"""A keeper whose door has ended, at its edges: how it starts, what it owes lock, and when it tries again."""

from __future__ import annotations

from pathlib import Path

import pytest

from device import wire
from device.edges import Room
from device.errors import StoreFault
from device.keeper import start as start_module
from device.keeper.loop import Keeper
from device.keeper.retired import RetiredKeeper
from device.link import Link
from device.paths import Paths
from device.sealing.keys import KeyStore
from device.sealing.retired import RETRY_S, Destroying, End
from device.service import Service
from tests.unit.keeper.bench import PIN, ROOT_KEY, Door
from tests.unit.keeper.test_retired import House, ended, lock

__all__ = ["lock"]  # the fixture: lock's connection
GONE, NOBODY_HERE = wire.Retired(attested=False), wire.Occupied(many=False, some=False)


def made(root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Service, Keeper | RetiredKeeper]:
    """What starts as keeper in `root`."""
    paths = Paths(root)
    paths.config.parent.mkdir(parents=True, exist_ok=True)
    paths.config.write_text('[door]\nid = "00112233445566aa"\n')
    (root / "keeper.key").write_bytes(ROOT_KEY)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(root))
    service = Service(Room.KEEPER, paths)
    return service, start_module.build(service)


def over(service: Service, keeper: Keeper | RetiredKeeper) -> None:
    keeper.stop()
    service._selector.close()


def test_where_the_mark_lies_no_keeper_that_checks_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service, keeper = made(tmp_path, monkeypatch)
    assert isinstance(keeper, Keeper)
    keeper._retire()
    assert service._stopping
    over(service, keeper)
    for _ in range(2):  # by whichever start
        service, keeper = made(tmp_path, monkeypatch)
        assert isinstance(keeper, RetiredKeeper)
        assert keeper.destroying.done
        over(service, keeper)


def test_a_start_that_does_not_look_for_the_mark_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault."""
    over(*made(tmp_path, monkeypatch))
    End(Paths(tmp_path).state("keeper"), ("records",)).begin()
    monkeypatch.setattr(End, "begun", property(lambda _self: False))
    service, keeper = made(tmp_path, monkeypatch)
    assert isinstance(keeper, Keeper)
    over(service, keeper)


class Away(House):
    """Whoever listens, unless nobody is there."""

    there = True

    def send(self, peer: Room, msg: wire.Message) -> bool:
        return self.there and super().send(peer, msg)


def test_an_alarm_that_nobody_could_hear_is_told_to_whoever_comes_and_once(home: Door, lock: Link) -> None:
    keeper, _ = ended(home)
    out = Away()
    keeper.rooms = out
    keeper.breached(Room.VAULT)
    assert out.heard() == [wire.Breach()]
    keeper.connected(lock)
    assert out.heard() == [GONE, NOBODY_HERE], "it has been told"
    out.there = False
    keeper.breached(Room.VAULT)
    keeper.connected(lock)
    out.there = True
    for owed in ([wire.Breach()], []):
        keeper.connected(lock)
        assert out.heard() == [*owed, GONE, NOBODY_HERE]


def test_what_could_not_be_destroyed_is_tried_again_and_told_as_soon_as_it_is(
    home: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, now_s = True, 100.0
    real = End.destroy

    def destroy(self: End, keys: KeyStore) -> None:
        if stuck:
            msg = "the file records cannot be removed: Input/output error"
            raise StoreFault(msg)
        real(self, keys)

    monkeypatch.setattr(End, "destroy", destroy)
    keeper, house = ended(home)
    keeper.destroying = Destroying(keeper.destroying.end, keeper.destroying.keys, "keeper", lambda: now_s)
    assert keeper.deadline() == now_s + RETRY_S
    for moment_s, can in ((now_s + RETRY_S, False), (now_s + 2 * RETRY_S - 1, True)):
        now_s, stuck = moment_s, not can
        keeper.tick()
        assert house.heard() == [], "it is not done, or not due"
    now_s += 1
    keeper.tick()
    assert house.heard() == [GONE]
    assert keeper.deadline() is None
    keeper.tick()
    assert house.heard() == []


def test_one_that_has_nothing_left_is_well_and_its_no_is_stamped_for_no_moment(home: Door, lock: Link) -> None:
    keeper, house = ended(home)
    assert keeper.healthy()
    keeper.received(lock, wire.CheckPin(bytes(16), 12, PIN, wire.NO_DAY))
    (verdict,) = house.heard()
    assert isinstance(verdict, wire.Verdict)
    assert verdict.stamped_ns == 0
