"""A reader that is there, that vanishes, that is exchanged, that babbles: over a pseudo-terminal.

libosdp's own reader is at the far end. Waiting times are shortened; what they are for is not.
"""

from __future__ import annotations

import random
import select
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import osdp
import pytest

from device.config.tables import LockTable
from device.errors import KeyFault
from device.lock import osdp_supervisor, reader_osdp
from device.lock.osdp_panel import DEFAULT_KEY, Panel
from device.lock.osdp_supervisor import REPORTS_PER_S, Supervisor, Where
from device.lock.parts import PartsBoard
from device.lock.reader_osdp import OsdpReader
from device.lock.state import Event, Key, NumberRead, Signal, TamperMoved
from tests.contract.board.bench import gpiozero_bench, open_files
from tests.contract.osdp.bench import (
    ADDRESS,
    KEY,
    OTHER_KEY,
    PATIENCE_S,
    Cable,
    Door,
    Pd,
    door_at,
    pd_at,
    reply,
)
from tests.contract.osdp.test_osdp_panel import rubbish


@pytest.fixture
def pd(cable: Cable) -> Iterator[Pd]:
    with pd_at(cable) as made:
        yield made


@pytest.fixture
def door(cable: Cable, pd: Pd) -> Iterator[Door]:
    with door_at(cable) as made:
        up(made, pd)
        yield made


def up(door: Door, pd: Pd) -> None:
    """The reader is in use: it was asked how it is."""
    told = len(pd.told)
    door.until(lambda: any(said["command"] == osdp.Command.Status for said in pd.told[told:]) and door.reader.well)


def typed(text: str) -> list[Event]:
    return [Key(key) for key in text]


def shown(pd: Pd, command: int) -> list[dict[str, object]]:
    return [told for told in pd.told if told["command"] == command]


# ---- what it gives


def test_keys_arrive_in_order_as_the_standard_spells_them(door: Door, pd: Pd) -> None:
    pd.keys("0123456789*#")
    door.until(lambda: len(door.heard) == 12)
    assert door.heard == typed("0123456789*#")
    assert door.stood == [True], "no alarm for the moment that the handshake took"


def test_keys_a_lock_does_not_know_are_nothing(door: Door, pd: Pd) -> None:
    pd.burst(b"1A\x00\xff#")
    door.until(lambda: len(door.heard) == 2)
    assert door.heard == typed("1#")


def test_a_bare_card_number_is_only_that(door: Door, pd: Pd) -> None:
    pd.card()
    door.until(lambda: bool(door.heard))
    assert door.heard == [NumberRead()]


@pytest.mark.parametrize(("tampered", "powerless"), [(True, False), (False, True)])
def test_an_open_or_powerless_reader_is_an_alarm_and_still_types(
    door: Door, pd: Pd, tampered: bool, powerless: bool
) -> None:
    pd.housing(tampered=tampered, powerless=powerless)
    door.until(lambda: not door.reader.well)
    pd.keys("5")
    door.until(lambda: bool(door.heard))
    pd.housing(tampered=False)
    door.until(lambda: door.reader.well)
    assert door.stood == [True, False, True]


# ---- what is not well


def test_no_adapter_is_an_alarm_and_no_crash(tmp_path: Path) -> None:
    with door_at(Cable(tmp_path / "nothing")) as door:
        door.until(lambda: not door.reader.well)


def test_a_file_that_is_no_line_is_an_alarm_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no line")
    with door_at(Cable(tmp_path / "file")) as door:
        door.until(lambda: not door.reader.well)
    assert (tmp_path / "file").read_bytes() == b"no line"


@pytest.mark.parametrize("key", [OTHER_KEY, DEFAULT_KEY])
def test_a_reader_with_another_key_is_not_well_and_types_nothing(cable: Cable, key: bytes) -> None:
    with pd_at(cable, key=key) as pd, door_at(cable) as door:
        pd.keys("1")
        door.until(lambda: not door.reader.well)
        assert not pd.told
        assert door.heard == []


def test_a_reader_without_secure_channel_is_not_well_and_types_nothing(cable: Cable) -> None:
    def plain(content: bytes) -> bytes:
        """Asked what it can do, it says: no secure channel."""
        marked = content.removeprefix(b"\xff")
        return reply(marked[4] & 0x03, b"\x46\x09\x00\x00") if marked[5] == 0x46 else content

    with pd_at(cable, spoil=plain) as pd, door_at(cable) as door:
        pd.keys("1")
        door.until(lambda: not door.reader.well)
        assert door.heard == []


def test_a_cut_cable_is_an_alarm_and_types_again_when_it_is_mended(door: Door, pd: Pd, cable: Cable) -> None:
    cable.cut = True
    door.until(lambda: not door.reader.well)
    cable.cut = False
    up(door, pd)
    pd.keys("8")
    door.until(lambda: bool(door.heard))
    assert door.heard == typed("8")


def test_an_adapter_that_is_pulled_out_is_an_alarm_and_works_again(door: Door, pd: Pd, cable: Cable) -> None:
    cable.unplug()
    door.until(lambda: not door.reader.well)
    cable.plug()
    up(door, pd)
    pd.keys("8")
    door.until(lambda: bool(door.heard))
    assert door.heard == typed("8")


def exchanged(door: Door, cable: Cable, pd: Pd) -> Iterator[Pd]:
    """Another reader of the same key in the place of the one that was there."""
    pd.close()
    cable.cut = True
    door.until(lambda: not door.reader.well)
    cable.cut = False
    with pd_at(cable, serial=8) as other:
        yield other


def test_another_reader_is_an_alarm_and_types_nothing(cable: Cable) -> None:
    with pd_at(cable) as pd, door_at(cable) as door:
        up(door, pd)
        for other in exchanged(door, cable, pd):
            other.keys("1")
            door.until(lambda other=other: sum(b"\x03\x11" in sent for sent in other.heard) >= 3)  # type: ignore[misc] # bound now
            assert not door.reader.well
            assert door.heard == []
        with pd_at(cable) as first:
            up(door, first)


def test_a_supervisor_that_takes_any_reader_is_caught(cable: Cable) -> None:
    """Seeded fault: nobody compares."""

    class Trusting(Supervisor):
        def _came(self, now_s: float) -> None:
            self._pinned = None
            super()._came(now_s)

    with pd_at(cable) as pd, door_at(cable, kind=Trusting) as door:
        up(door, pd)
        for other in exchanged(door, cable, pd):
            up(door, other)


def test_a_flood_of_keys_is_an_alarm_and_ends_when_the_reader_is_calm(door: Door, pd: Pd) -> None:
    for _ in range(3):
        pd.burst(b"7" * 20)
    door.until(lambda: not door.reader.well)
    door.until(lambda: door.reader.well)
    assert len(door.heard) <= REPORTS_PER_S
    door.heard.clear()
    pd.keys("1")
    door.until(lambda: Key("1") in door.heard)


def test_a_supervisor_that_does_not_count_is_caught(monkeypatch: pytest.MonkeyPatch, door: Door, pd: Pd) -> None:
    """Seeded fault: no limit."""
    monkeypatch.setattr(osdp_supervisor, "REPORTS_PER_S", 10**9)
    for _ in range(5):
        pd.burst(b"7" * 20)
    door.until(lambda: len(door.heard) == 100)
    assert door.reader.well


def test_quick_hands_are_no_flood(door: Door, pd: Pd) -> None:
    pd.burst(b"1234567890")
    pd.burst(b"1234567890")
    door.until(lambda: len(door.heard) == 20)
    assert door.stood == [True]


def test_noise_on_the_line_types_nothing_and_passes(door: Door, pd: Pd, cable: Cable) -> None:
    """2,000 frames of rubbish between what the reader says."""
    draw = random.Random(31)
    for _ in range(2000):
        cable.send(rubbish(draw))
        door.look()
        assert door.heard == []
    pd.keys("4")
    door.until(lambda: bool(door.heard))
    assert door.heard == typed("4")


def test_a_line_that_babbles_instead_of_a_reader_is_not_well(cable: Cable) -> None:
    draw = random.Random(32)
    with door_at(cable) as door:
        end_s = time.monotonic() + 5
        while door.reader.well:
            assert time.monotonic() < end_s
            if cable.receive(300):
                cable.send(reply(0, b"\x53\x00\x011"))
            cable.send(rubbish(draw))
            door.look(0.01)
        assert door.heard == []


# ---- what it shows


def test_opened_is_one_long_green_and_one_long_tone(door: Door, pd: Pd) -> None:
    door.reader.show(Signal.OPENED, None)
    door.until(lambda: len(shown(pd, osdp.Command.LED)) == 2 and len(shown(pd, osdp.Command.Buzzer)) == 1)
    led, tone = shown(pd, osdp.Command.LED)[1], shown(pd, osdp.Command.Buzzer)[0]
    assert (led["on_color"], led["on_count"], led["timer_count"]) == (osdp.CommandLEDColor.Green, 15, 15)
    assert (tone["on_count"], tone["rep_count"]) == (15, 1)


def test_a_rhythm_of_several_runs_arrives_in_order(door: Door, pd: Pd) -> None:
    door.reader.show(Signal.DONE, None)
    door.until(lambda: len(shown(pd, osdp.Command.LED)) == 3 and len(shown(pd, osdp.Command.Buzzer)) == 2)
    assert [(tone["on_count"], tone["rep_count"]) for tone in shown(pd, osdp.Command.Buzzer)] == [(1, 1), (3, 2)]


def test_what_was_shown_while_it_was_away_is_not_shown_later(door: Door, pd: Pd, cable: Cable) -> None:
    cable.unplug()
    door.until(lambda: not door.reader.well)
    door.reader.show(Signal.OPENED, None)
    end_s = time.monotonic() + 0.2
    door.until(lambda: time.monotonic() > end_s)
    cable.plug()
    up(door, pd)
    door.reader.show(Signal.REFUSED, None)
    door.until(lambda: len(shown(pd, osdp.Command.Buzzer)) == 1)
    assert shown(pd, osdp.Command.Buzzer)[0]["rep_count"] == 3
    assert all(led["on_color"] != osdp.CommandLEDColor.Green for led in shown(pd, osdp.Command.LED))


@pytest.mark.usefixtures("door")
def test_a_reader_is_dark_while_nobody_is_there(pd: Pd) -> None:
    led = shown(pd, osdp.Command.LED)[0]
    assert (led["temporary"], led["on_color"], led["off_color"]) == (False, 0, 0)


def test_a_reader_without_light_and_tone_is_spared_them(cable: Cable) -> None:
    bare = ((osdp.Capability.CommunicationSecurity, 1, 1), (osdp.Capability.LEDControl, 1, 1))
    with pd_at(cable, capabilities=bare) as pd, door_at(cable) as door:
        up(door, pd)
        door.reader.show(Signal.OPENED, None)
        pd.keys("1")
        door.until(lambda: bool(door.heard))
        assert {told["command"] for told in pd.told} == {osdp.Command.Status}


@pytest.mark.parametrize("command", [osdp.Command.LED, osdp.Command.Status])
def test_a_reader_that_refuses_a_command_is_spared_it_and_types(cable: Cable, command: int) -> None:
    with pd_at(cable, refuses=frozenset({command})) as pd, door_at(cable) as door:
        door.until(lambda: len(shown(pd, command)) == osdp_supervisor._PATIENCE)
        pd.keys("1")
        door.until(lambda: bool(door.heard) and door.reader.well)
        assert len(shown(pd, command)) == osdp_supervisor._PATIENCE


# ---- how it stands beside the loop


def test_beside_a_board_its_keys_are_the_boards_and_its_loss_the_boards_alarm(cable: Cable, pd: Pd) -> None:
    bench, happened = gpiozero_bench(), list[Event]()
    bench.touch("tamper off")
    reader = OsdpReader(Where(str(cable.path), 115200, ADDRESS), KEY, 4000)
    board = PartsBoard(bench.board, (reader,))

    def until(event: Event) -> None:
        end_s = time.monotonic() + PATIENCE_S
        while event not in happened:
            assert time.monotonic() < end_s
            bench.now_s += 0.01
            select.select([board.fileno()], [], [], 0.01)
            happened.extend(board.events(bench.now_s))

    try:
        pd.keys("6")
        until(Key("6"))
        board.bolt.release(60_000)
        happened.clear()
        cable.unplug()
        until(TamperMoved(on=True))
    finally:
        board.close()
    assert not bench.released()


def test_closing_ends_the_thread_and_leaves_no_file_open(cable: Cable) -> None:
    before, threads = open_files(), set(threading.enumerate())  # some of another test may end meanwhile
    with door_at(cable) as door:
        door.until(lambda: not door.reader.well)
        (own,) = set(threading.enumerate()) - threads
    own.join(PATIENCE_S)  # a busy machine may take longer than `close` waits for
    assert not own.is_alive()
    door.reader.close()
    assert open_files() <= before


def test_a_fault_of_ours_is_a_reader_that_is_not_well(
    monkeypatch: pytest.MonkeyPatch, cable: Cable, capfd: pytest.CaptureFixture[str]
) -> None:
    class Broken(Supervisor):
        def turn(self) -> None:
            raise RuntimeError("digits 4711")

    monkeypatch.setattr("device.lock.osdp_worker.AFTER_FAULT_S", 0.1)
    with door_at(cable, kind=Broken) as door:
        door.until(lambda: not door.reader.well)
    said = "".join(capfd.readouterr())
    assert "left alone for a while" in said
    assert "4711" not in said


def test_a_device_that_hangs_keeps_neither_the_loop_nor_the_end_waiting(
    monkeypatch: pytest.MonkeyPatch, cable: Cable
) -> None:
    hung, released = threading.Event(), threading.Event()

    class Hanging(Supervisor):
        def turn(self) -> None:
            hung.set()
            released.wait()

    monkeypatch.setattr("device.lock.osdp_worker._PATIENCE_S", 0.1)
    with door_at(cable, kind=Hanging) as door:
        assert hung.wait(5)
        began_s = time.monotonic()
        door.reader.show(Signal.OPENED, None)
        assert door.reader.events(began_s) == []
        assert door.reader.deadline() is None
        door.reader.close()
        assert time.monotonic() - began_s < 2
        released.set()


def test_a_library_that_no_longer_sends_is_made_anew(monkeypatch: pytest.MonkeyPatch, cable: Cable, pd: Pd) -> None:
    """The library counts by the wall's clock; one that was set back keeps it waiting."""
    asleep: list[Panel] = []

    class Sleepy(Panel):
        def refresh(self) -> None:
            if self not in asleep:
                super().refresh()

    monkeypatch.setattr(osdp_supervisor, "Panel", Sleepy)
    monkeypatch.setattr(osdp_supervisor, "STUCK_S", 0.5)
    monkeypatch.setattr(osdp_supervisor, "SILENT_S", 60.0)

    class Watched(Supervisor):
        def _new_panel(self) -> Panel:
            made.append(super()._new_panel())
            return made[-1]

    made: list[Panel] = []
    with door_at(cable, kind=Watched) as door:
        up(door, pd)
        asleep += made
        door.until(lambda: not door.reader.well)
        up(door, pd)
        assert len(made) == 2


def test_no_line_in_the_log_holds_a_digit_that_was_typed_or_a_key(
    door: Door, pd: Pd, cable: Cable, capfd: pytest.CaptureFixture[str]
) -> None:
    pd.burst(b"8" * 40)
    door.until(lambda: not door.reader.well)
    cable.unplug()
    door.until(lambda: door.reader.well is False)
    said = "".join(capfd.readouterr())
    assert "OSDP" in said
    assert "8" not in said
    assert KEY.hex() not in said


# ---- the key


def handed_over(monkeypatch: pytest.MonkeyPatch, folder: Path, key: bytes | None) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    if key is not None:
        (folder / reader_osdp.KEY_NAME).write_bytes(key)


@pytest.mark.parametrize("key", [None, b"", KEY[:15], KEY + b"\n", DEFAULT_KEY, bytes(16), b"\xff" * 16])
def test_without_a_key_of_its_own_lock_does_not_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: bytes | None
) -> None:
    handed_over(monkeypatch, tmp_path, key)
    with pytest.raises(KeyFault, match=r"osdp\.key"):
        OsdpReader.of(LockTable(osdp="/dev/serial/by-id/x"))


def test_the_reader_of_door_toml_works_with_the_key_that_was_handed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cable: Cable, pd: Pd
) -> None:
    handed_over(monkeypatch, tmp_path, KEY)
    reader = OsdpReader.of(LockTable(osdp=str(cable.path), osdp_address=5, osdp_baud=115200))
    try:
        up(Door(reader), pd)
    finally:
        reader.close()
    assert KEY.hex() not in repr(reader.__dict__)
