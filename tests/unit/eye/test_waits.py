"""eye ends itself before its watchdog ends it, whatever door.toml permits and however slow the camera is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, NoReturn, cast, get_args, get_type_hints

import numpy as np
import pytest

from device import wire
from device.config.tables import CameraTable, Config, DoorTable
from device.edges import Room
from device.errors import CameraFault
from device.eye import __main__ as start
from device.eye import waits
from device.eye.camera import Frame
from device.eye.loop import EyeWork
from device.eye.sight import Seen
from device.link import Link
from device.paths import Paths
from device.service import Service
from device.settings import Between
from device.wire import Hint, LookMode
from tools.units.files import read

S = 1_000_000_000
WATCHDOG_S = float(read()["doorward-eye.service"].one("Service", "WatchdogSec"))
MARGIN_S = 1.0  # for the exit itself, and for a machine that is busy


def _permitted() -> Between:
    hint: Any = get_type_hints(CameraTable, include_extras=True)["frame_timeout_ms"]
    return cast("Between", get_args(hint)[1])


PERMITTED = _permitted()


def too_long(permitted: Between) -> list[int]:
    """Which timeouts of those permitted let a call last so long that the watchdog comes first, milliseconds."""
    timeouts = range(int(permitted.low), int(permitted.high) + 1)
    return [ms for ms in timeouts if waits.longest_call_s(ms) > WATCHDOG_S - MARGIN_S]


def test_the_leash_is_shorter_than_the_watchdog_under_every_setting() -> None:
    assert too_long(PERMITTED) == []


def test_a_setting_that_made_the_watchdog_come_first_would_be_told() -> None:
    assert too_long(Between(PERMITTED.low, 7000))[0] > PERMITTED.high


@dataclass
class Slow:
    """A camera that takes all the time there is for everything, and gives no frame; and what else an eye needs."""

    now_ns: int = 1000 * S
    limit_s: float = 0.0
    frames: bool = False
    fed_ns: list[int] = field(default_factory=list)
    links: dict[Room, Link] = field(default_factory=dict)

    restart_heals = False

    def model_id(self, *, covered: bool) -> bytes:
        return b"modelid!"

    def _takes_long(self) -> None:
        self.now_ns += int((self.limit_s - 0.01) * S)

    def probe(self) -> None:
        self._takes_long()

    def open(self) -> None:
        self._takes_long()

    def read(self, not_before_ns: int) -> Frame:
        self._takes_long()
        if not self.frames:
            raise CameraFault("gave no frame")
        main = np.zeros((4, 4, 3), np.uint8)
        return Frame(main, main, max(self.now_ns, not_before_ns))

    def steady(self, *, held: bool) -> None:
        self._takes_long()

    def close(self) -> None:
        self._takes_long()

    def look(self, frame: Frame, mode: LookMode) -> Seen:
        return Seen(frame.time_ns, Hint.LOOK_AT_CAMERA)

    def forget(self) -> None:
        pass

    def send(self, peer: Room, msg: wire.Message) -> bool:
        return peer in self.links

    def link(self, peer: Room) -> Link | None:
        return self.links.get(peer)

    @contextmanager
    def hold(self, seconds: float) -> Iterator[None]:
        self.limit_s = seconds
        yield

    def give_up(self, why: str) -> NoReturn:
        raise AssertionError(why)

    def fed(self) -> None:
        self.fed_ns.append(self.now_ns)


def _longest_quiet_s(slow: Slow, timeout_ms: int, *, fed_between: bool = True) -> float:
    """Three approaches as the service runs them, each turn with a feed at its end if eye is well; the longest gap."""
    config = replace(Config(DoorTable("0123456789abcdef")), camera=CameraTable(frame_timeout_ms=timeout_ms))
    work = EyeWork(slow, slow, slow, config, slow, lambda: slow.now_ns, slow.fed if fed_between else None)
    for peer in (Room.LOCK, Room.VAULT):
        slow.links[peer] = cast("Link", SimpleNamespace(peer=peer))
        work.connected(slow.links[peer])
    slow.fed_ns.clear()
    slow.fed()  # READY=1

    def turn(*said: wire.Message) -> None:
        for msg in said:
            work.received(slow.links[Room.LOCK], msg)
        due = work.deadline()
        if due is not None and due * S <= slow.now_ns:
            work.tick()
        if work.healthy():
            slow.fed()

    for number in range(1, 4):
        turn(wire.Look(bytes([number]) * 16, LookMode.RECOGNISE))
        turn()
        # Close and the next Look in one turn: everything that can fall together does.
        turn(wire.Close(), wire.Look(bytes([number + 10]) * 16, LookMode.RECOGNISE))
        turn(wire.Close())
    return max(after - before for before, after in zip(slow.fed_ns, slow.fed_ns[1:], strict=False)) / S


@pytest.mark.parametrize("frames", [False, True])
@pytest.mark.parametrize("timeout_ms", [int(PERMITTED.low), 1000, int(PERMITTED.high)])
def test_a_camera_that_is_slow_at_everything_is_not_taken_for_one_that_hangs(timeout_ms: int, *, frames: bool) -> None:
    assert _longest_quiet_s(Slow(frames=frames), timeout_ms) < WATCHDOG_S - MARGIN_S


def test_without_a_feed_between_its_calls_the_watchdog_would_end_an_eye_that_works() -> None:
    assert _longest_quiet_s(Slow(), int(PERMITTED.high), fed_between=False) > WATCHDOG_S


class Stuck(Slow):
    """Its open lasts longer than any honest approach, and no leash ends it."""

    fed_before_read = 0

    def open(self) -> None:
        self.now_ns += int(2 * waits.quiet_limit_s(int(PERMITTED.high)) * S)

    def read(self, not_before_ns: int) -> Frame:
        self.fed_before_read = len(self.fed_ns)
        return super().read(not_before_ns)


class _AlwaysWell(EyeWork):
    """Seeded fault: it says that it is well, whatever happens."""

    def healthy(self) -> bool:
        return True


@pytest.mark.parametrize(("eye", "feeds"), [(EyeWork, 1), (_AlwaysWell, 5)])
def test_an_approach_that_is_quiet_for_too_long_feeds_nobody(eye: type[EyeWork], feeds: int) -> None:
    slow = Stuck()
    work = eye(slow, slow, slow, Config(DoorTable("0123456789abcdef")), slow, lambda: slow.now_ns, slow.fed)
    for peer in (Room.LOCK, Room.VAULT):
        slow.links[peer] = cast("Link", SimpleNamespace(peer=peer))
    work.received(slow.links[Room.LOCK], wire.Look(b"1" * 16, LookMode.RECOGNISE))
    slow.fed_ns.clear()
    work.tick()
    assert slow.fed_before_read == feeds, "the one before the call that took too long, and in between none"


def test_the_door_s_own_eye_feeds_the_door_s_own_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    fed: list[str] = []
    slow = Slow()
    monkeypatch.setattr(start, "give_way", lambda: None)
    monkeypatch.setattr("device.config.load", lambda _path: Config(DoorTable("0123456789abcdef")))
    monkeypatch.setattr("device.eye.sight.Sight.load", lambda *_: slow)
    monkeypatch.setattr(start, "make", lambda _table: slow)
    running = Service(Room.EYE, Paths.__new__(Paths))
    monkeypatch.setattr(type(running.notifier), "feed_watchdog", lambda _notifier: fed.append("WATCHDOG=1"))
    start.build(running)
    assert fed == ["WATCHDOG=1", "WATCHDOG=1"], "before and after it looked for its camera"
