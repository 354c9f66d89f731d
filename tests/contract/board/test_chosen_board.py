"""door.toml says which board lock drives and which keypad it listens to, and lock's start follows it."""

from __future__ import annotations

import re
import sys
import time

import pytest

from device import config
from device.config.tables import Config
from device.errors import BoltFault, ConfigRefused
from device.lock import gpiod_lines, reader_pcsc
from device.lock.assembly import board_of
from device.lock.board_gpiod import GpiodBoard
from device.lock.parts import PartsBoard
from device.lock.state import TamperMoved
from device.paths import Paths
from tests.contract.board.fake_gpiod import FakeChips
from tests.support.room_process import short_root

DOOR = '[door]\nid = "00112233445566ff"\n[lock]\n'


def read(lock_table: str) -> Config:
    return config.parse(DOOR + lock_table)


def test_the_named_board_is_the_one_that_is_driven(monkeypatch: pytest.MonkeyPatch) -> None:
    with short_root() as root:
        with pytest.raises(BoltFault, match="no GPIO chip has a line of that name"):
            board_of(read('board = "gpiod"\n'), Paths(root))
        monkeypatch.setattr(gpiod_lines, "kernel_chips", lambda: FakeChips().port)
        board = board_of(read('board = "gpiod"\n'), Paths(root))
        assert isinstance(board, GpiodBoard)
        board.close()


def test_a_named_keypad_is_listened_to_beside_any_board(monkeypatch: pytest.MonkeyPatch) -> None:
    chips = FakeChips()
    monkeypatch.setattr(gpiod_lines, "kernel_chips", lambda: chips.port)
    with short_root() as root:
        board = board_of(read('board = "gpiod"\nkeypad = "/dev/input/by-path/none-such"\n'), Paths(root))
        assert isinstance(board, PartsBoard)
        assert TamperMoved(on=True) in board.events(1.0), "it is not there"
        board.bolt.release(60_000)
        assert chips.pad("GPIO17").level
        board.close()
        assert not chips.pad("GPIO17").level


def test_a_named_card_reader_stands_beside_any_board(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpiod_lines, "kernel_chips", lambda: FakeChips().port)
    monkeypatch.setattr(reader_pcsc, "START_S", 0.0)
    monkeypatch.setitem(sys.modules, "smartcard.scard", None)
    with short_root() as root:
        board = board_of(read('board = "gpiod"\ncard_reader = "No Such Reader"\n'), Paths(root))
        assert isinstance(board, PartsBoard)
        assert TamperMoved(on=True) in board.events(time.monotonic()), "it is not there"
        board.close()


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ('bolt_pin = "line:PA.04"\n', 'bolt_pin must be a pin such as "GPIO17"; other lines need board "gpiod"'),
        ('board = "sim"\nbuzzer_pin = "gpiochip0:4"\n', "buzzer_pin must be a pin"),
        ('board = "gpiod"\nbolt_pin = "PA.04"\n', "bolt_pin must be a pin"),
        ('board = "gpiod"\nbolt_pin = "gpiochip0:04"\n', "bolt_pin must be a pin"),
        ('board = "gpiod"\nbolt_pin = ""\n', "bolt_pin must be a pin"),
        ('board = "gpiod"\nbolt_pin = "gpiochip0:4"\nlamp_pin = "gpiochip0:4"\n', "for two things"),
        ('buzzer_pin = "GPIO5"\nstatus_led_pin = "GPIO5"\n', "for two things"),
        ('buzzer_pin = "GPIO17"\n', "for two things"),
        ('keypad = "/dev/input/event3"\n', "keypad must be empty or a name such as"),
        ('keypad = "/dev/input/by-path/../event3"\n', "keypad must be"),
        ('keypad_id = "0003:1a2c:0002:0110"\n', "names none"),
        ('card_reader = "Lecteur \u00e0 puce"\n', "card_reader must be empty or the name"),
        ("card_reader = 1\n", "card_reader must be"),
        ('keypad = "/dev/input/by-path/x"\nkeypad_id = "0003:1A2C:0002:0110"\n', "keypad_id must be"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_in_one_sentence(table: str, why: str) -> None:
    with pytest.raises(ConfigRefused, match=re.escape(why)) as refusal:
        read(table)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "table",
    [
        "",
        'buzzer_pin = ""\nstatus_led_pin = ""\n',
        'buzzer_pin = "GPIO5"\nstatus_led_pin = "GPIO6"\n',
        'board = "gpiod"\nbolt_pin = "line:PA.04"\nlamp_pin = "gpiochip1:0"\n',
        'keypad = "/dev/input/by-path/platform-fd500000.pcie-usb-0:1.3:1.0-event-kbd"\n',
        'keypad = "/dev/input/by-id/usb-Maker_Pad-event-kbd"\nkeypad_id = "0003:1a2c:0002:0110"\n',
    ],
)
def test_a_table_of_a_real_door_is_taken(table: str) -> None:
    read(table)
