"""The end of a room's sealed state: marked, made undecryptable, removed. For vault and keeper, when their door ends.

Rules kept here:
- The mark is durable before anything is destroyed. From then on the room never opens its store again: whoever starts it
  finds the mark first, so that no half of what was there is ever used.
- A mark that is there is made durable as it is, and not written anew: destroying needs no room on a full disk.
- Destroying is: replace the epoch key by one that seals nothing, then overwrite and remove every file. Each step may be
  interrupted and repeated; only when all of it was done is that written down, and from then on nothing is done.
- A key that cannot be replaced saves no file: they are removed all the same. It is tried again every minute, and until
  that is done nobody is told that it is.
- The mark holds no secret, and says nothing of who lived behind the door.

Files: `retired` (empty but for a magic) from the beginning of the end, `erased` from its end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from device.errors import Fault
from device.journal import log
from device.sealing import box
from device.sealing.files import DiskFiles, Files, destroy, write_new
from device.sealing.keys import KeyStore

MARK = "retired"
DONE = "erased"
RETRY_S = 60.0
_CONTENT = b"DWRE\x01"


@dataclass(frozen=True, slots=True)
class End:
    """The end of what lies in `folder`, and in its subfolders `inside`."""

    folder: Path
    inside: tuple[str, ...] = ()
    disk: Files = DiskFiles()  # noqa: RUF009 - it has no state

    @property
    def begun(self) -> bool:
        """Whether the room is to open nothing any more. Raises StoreFault."""
        return self.disk.read(self.folder / MARK) is not None

    @property
    def over(self) -> bool:
        """Whether everything was destroyed. Raises StoreFault."""
        return self.disk.read(self.folder / DONE) is not None

    def begin(self) -> None:
        """Mark the room, durably. A torn mark is one: that it is there counts. Raises StoreFault."""
        if self.begun:
            self.disk.sync(self.folder / MARK)
            self.disk.sync_folder(self.folder)
            return
        self.disk.prepare(self.folder)
        write_new(self.disk, self.folder, [(MARK, _CONTENT)])

    def destroy(self, keys: KeyStore) -> None:
        """Destroy everything but the mark. Raises StoreFault or KeyFault; it may then be called again."""
        if self.over:
            return
        self.begin()  # a killed process may have left the mark in the page cache alone
        failed: Fault | None = None
        try:
            keys.replace(box.new_key())
        except Fault as fault:
            failed = fault
        for name in self.inside:
            self._empty(self.folder / name, ())
        self._empty(self.folder, (MARK, *self.inside))
        if failed:
            raise failed
        write_new(self.disk, self.folder, [(DONE, _CONTENT)])

    def _empty(self, folder: Path, spared: tuple[str, ...]) -> None:
        self.disk.prepare(folder)
        destroy(self.disk, folder, sorted(set(self.disk.names(folder)) - set(spared)))


@dataclass(slots=True)
class Destroying:
    """`end`, tried until it is over. `now_s` is CLOCK_MONOTONIC seconds; `room` says who speaks."""

    end: End
    keys: KeyStore
    room: str
    now_s: Callable[[], float] = time.monotonic
    done: bool = field(init=False, default=False)
    due_s: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.attempt()

    def attempt(self) -> None:
        """Try once; `done` and `due_s` say what came of it."""
        try:
            self.end.destroy(self.keys)
        except Fault as fault:
            if self.due_s is None:
                log(f"{self.room}: this door has ended, but not everything could be destroyed yet: {fault}")
            self.due_s = self.now_s() + RETRY_S
            return
        self.done, self.due_s = True, None
        log(f"{self.room}: this door has ended, and nothing of its residents is left here")

    def tick(self) -> bool:
        """Try again if it is time; whether it is done since this very call."""
        if self.due_s is None or self.now_s() < self.due_s:
            return False
        self.attempt()
        return self.done
