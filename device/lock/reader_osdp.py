"""A reader with a keypad on RS-485, over OSDP with its secure channel: a part beside the board.

Rules kept here:
- Its key is a credential, `osdp.key`, 16 bytes: without it, with the standard's own key or with one byte sixteen times
  lock does not start. It stands in no setting, no log and no repr.
- It types, and shows what lock shows. A card's bare number opens nothing and is not kept.
- What is told keeps its order: a key that was pressed before the reader was lost still counts.

No real reader was tried: tests play its part with libosdp's own, at the other end of a pseudo-terminal.
"""

from __future__ import annotations

import time

from device.config.tables import LockTable
from device.errors import KeyFault
from device.handover import credential
from device.lock.osdp_panel import DEFAULT_KEY, KEY_BYTES
from device.lock.osdp_supervisor import Stands, Supervisor, Where
from device.lock.osdp_worker import Worker
from device.lock.state import Event, Signal
from device.wire import Hint

KEY_NAME = "osdp.key"


def channel_key() -> bytes:
    """The secure channel's base key (SCBK) as it was handed over. Raises KeyFault."""
    return checked_key(credential(KEY_NAME))


def checked_key(key: bytes) -> bytes:
    """`key`, if a reader's channel may stand on it. Raises KeyFault."""
    if len(key) != KEY_BYTES:
        raise KeyFault(f"the OSDP reader's key {KEY_NAME} must be {KEY_BYTES} bytes, and has {len(key)}")
    if key == DEFAULT_KEY or len(set(key)) == 1:
        raise KeyFault(f"the OSDP reader's key {KEY_NAME} is one that everybody knows; give the reader one of its own")
    return key


class OsdpReader:
    """The reader at `where`; `unlock_ms` as in door.toml."""

    supervisor: type[Supervisor] = Supervisor

    def __init__(self, where: Where, key: bytes, unlock_ms: int) -> None:
        self._well = True
        self._worker = Worker(lambda tell: self.supervisor(where, key, unlock_ms, tell, time.monotonic))

    @classmethod
    def of(cls, table: LockTable) -> OsdpReader:
        """The reader that door.toml names. Raises KeyFault if its key was not handed over, or is none."""
        return cls(Where(table.osdp, table.osdp_baud, table.osdp_address), channel_key(), table.unlock_ms)

    @property
    def well(self) -> bool:
        """Whether it is there, secured, the one that was there before, closed and calm."""
        return self._well

    def fileno(self) -> int | None:
        """Readable when `events` has something to say."""
        return self._worker.fileno()

    def events(self, now_s: float) -> list[Event]:
        """What happened since the last call."""
        happened: list[Event] = []
        for told in self._worker.told():
            if isinstance(told, Stands):
                self._well = told.well
            else:
                happened.append(told)
        return happened

    def deadline(self) -> float | None:
        """The thread keeps its own time."""
        return None

    def show(self, signal: Signal, hint: Hint | None) -> None:
        """Give a tone and a light, as far as the reader has them."""
        self._worker.show(signal, hint)

    def card(self, command: bytes | None) -> None:
        """No card can be talked to through it."""

    def close(self) -> None:
        """Give the line back."""
        self._worker.close()
