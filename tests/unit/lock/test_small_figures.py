"""Figures of the standards and of the files on lock's disk, as they are written elsewhere; and what no repr shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from nacl.secret import SecretBox

from device.document import FIRST_SLOT, LAST_SLOT
from device.errors import KeyFault
from device.lock import durable
from device.lock.osdp_frames import Gate
from device.lock.osdp_line import SerialLine
from device.lock.osdp_panel import DEFAULT_KEY, Keys
from device.lock.osdp_rhythm import FLASH_EVERY_S
from device.lock.reader_osdp import checked_key
from device.lock.timetables import Binding, TimetableFiles, barred, kept, nobody_knows
from device.wire import NO_END, NO_TIMETABLE, SlotOffer

BOX = SecretBox(bytes(32))


def test_the_key_that_everybody_knows_is_refused() -> None:
    """SCBK-D, as the standard prints it."""
    assert DEFAULT_KEY == b"0123456789:;<=>?"
    with pytest.raises(KeyFault):
        checked_key(b"0123456789:;<=>?")
    assert checked_key(b"0123456789:;<=>@") == b"0123456789:;<=>@"


def test_two_flashes_of_a_reader_are_further_apart_than_three_a_second() -> None:
    """WCAG 2.3.1, and a tenth of a second in which a command may wait for its poll."""
    assert 1 / 3 + 0.1 <= FLASH_EVERY_S <= 0.5


def test_nobody_knows_whose_hours_are_whose_is_said_of_every_slot_and_of_no_offer() -> None:
    assert {binding.slot for binding in nobody_knows()} == set(range(FIRST_SLOT, LAST_SLOT + 1))
    assert {(binding.serial, binding.timetable) for binding in nobody_knows()} == {(0, NO_TIMETABLE)}
    offer = SlotOffer(12, 1, 2_000_000_000, NO_END, NO_TIMETABLE, bytes(16), bytes(32))
    left = kept(nobody_knows(), [offer])
    assert nobody_knows() - left == {Binding(12, 0, NO_TIMETABLE)}, "the very first offer of a slot frees it"
    assert 12 not in barred(left, frozenset({1}), frozenset({1}))


@pytest.mark.parametrize(("many", "pages"), [(1, 1), (453, 1), (454, 2)])
def test_what_lies_on_the_disk_of_timetables_is_whole_pages(tmp_path: Path, many: int, pages: int) -> None:
    """4096 bytes each, the padding one at least; 12 bytes of head, 9 an entry, and 40 of the box."""
    files = TimetableFiles(tmp_path, BOX)
    files.keep(frozenset(Binding(slot, 1, 1) for slot in range(FIRST_SLOT, FIRST_SLOT + many)))
    for path in files.paths:
        content = path.read_bytes()
        assert len(content) == 40 + pages * 4096
        assert BOX.decrypt(content)[:12] == b"DWLT\1\0\0\0" + many.to_bytes(4, "little")


def test_a_door_without_timetables_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = TimetableFiles(tmp_path, BOX)
    touched: list[Path] = []
    monkeypatch.setattr(Path, "unlink", lambda path, **_: touched.append(path))
    monkeypatch.setattr(durable, "store", lambda path, *_: touched.append(path))
    files.keep(frozenset())
    assert touched == []


def test_no_repr_of_a_reader_shows_what_came_from_it() -> None:
    gate = Gate(5)
    gate.asked()
    gate.take(b"\x53secret", 300, secured=True)
    assert "secret" not in repr(gate)
    assert "kept" not in repr(gate)
    assert "passing" not in repr(gate)
    assert "4711" not in repr(Keys("4711", 4))
    line = SerialLine("/dev/none", 9600, gate, lambda: True, lambda: 0.0)
    assert "secret" not in repr(line)
