"""The board and the parts that door.toml names, put together: for lock, and for the trial of its lines.

Rules kept here:
- What is not named is not loaded: a simulated door needs no gpiozero, a real one no simulator.
"""

from __future__ import annotations

from device.config.tables import Config, LockTable
from device.lock.board import Board
from device.lock.bolt import Wiring
from device.lock.parts import Part, PartsBoard
from device.paths import Paths


def board_of(config: Config, paths: Paths) -> Board:
    """The lines of this door joined with its parts. Raises BoltFault."""
    board = lines_of(config, paths)
    parts = _parts(config.lock)
    return PartsBoard(board, parts) if parts else board


def lines_of(config: Config, paths: Paths) -> Board:
    """The lines alone, every one claimed. Raises BoltFault."""
    if config.lock.board == "sim":
        from device.lock.board_sim import SimBoard

        return SimBoard(paths.board / "cable.sock", Wiring(config.lock.wiring))
    if config.lock.board == "gpiod":
        from device.lock.board_gpiod import GpiodBoard
        from device.lock.gpiod_lines import kernel_chips

        return GpiodBoard(config.lock, kernel_chips())
    from device.lock.board_gpiozero import GpiozeroBoard, lgpio_factory

    return GpiozeroBoard(config.lock, lgpio_factory(chip=0))


def _parts(table: LockTable) -> tuple[Part, ...]:
    parts: list[Part] = []
    if table.keypad:
        from device.lock.keypad_evdev import EvdevKeypad, kernel

        parts.append(EvdevKeypad(table.keypad, table.keypad_id, kernel()))
    if table.card_reader:
        from device.lock.pcsc_calls import Pcsc
        from device.lock.reader_pcsc import PcscReader

        parts.append(PcscReader(table.card_reader, Pcsc()))
    if table.osdp:
        from device.lock.reader_osdp import OsdpReader

        parts.append(OsdpReader.of(table))
    return tuple(parts)
