"""Start lock: `python -m device.lock`, under its unit or doorsim."""

from __future__ import annotations

import sys

from device import config as door_config
from device.config import Config, LockTable
from device.edges import Room
from device.lock.board import Board
from device.lock.bolt import Wiring
from device.lock.identity import KEY_NAME, DocumentKey
from device.lock.loop import LockWork, rules_of
from device.lock.parts import Part, PartsBoard
from device.lock.policy import Policy, VersionFile
from device.paths import Paths, door_paths
from device.service import Service, credential, main


def _board(config: Config, paths: Paths) -> Board:
    board = _lines(config, paths)
    parts = _parts(config.lock)
    return PartsBoard(board, parts) if parts else board


def _parts(table: LockTable) -> tuple[Part, ...]:
    # Imported where chosen, as the boards are.
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


def _lines(config: Config, paths: Paths) -> Board:
    # Imported where chosen: a simulated door needs no gpiozero, a real one no simulator.
    if config.lock.board == "sim":
        from device.lock.board_sim import SimBoard

        return SimBoard(paths.board / "cable.sock", Wiring(config.lock.wiring))
    if config.lock.board == "gpiod":
        from device.lock.board_gpiod import GpiodBoard
        from device.lock.gpiod_lines import kernel_chips

        return GpiodBoard(config.lock, kernel_chips())
    from device.lock.board_gpiozero import GpiozeroBoard, lgpio_factory

    return GpiozeroBoard(config.lock, lgpio_factory(chip=0))


def build(service: Service) -> LockWork:
    """Lock's work from door.toml."""
    paths = door_paths()
    config = door_config.load(paths.config)
    policy = Policy(
        bytes.fromhex(config.door.id),
        bytes.fromhex(config.door.manager_key),
        DocumentKey.of(credential(KEY_NAME)),
        VersionFile(paths.state(Room.LOCK) / "policy-version"),
    )
    return LockWork(service, _board(config, paths), policy, rules_of(config))


if __name__ == "__main__":
    sys.exit(main(Room.LOCK, build))
