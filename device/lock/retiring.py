"""The end of a door: announced by a signed document, counted in running time, and then for good.

Rules kept here:
- By a document nothing ends before its notice has run, 72 hours at least (`device.bodies`): time in which this process
  ran and its clock was believed, taken from CLOCK_MONOTONIC. A clock that jumps, a door that is switched off, a process
  that hangs make it later, never sooner; so does whatever is lost of the count.
- The count belongs to one document. A newer one begins anew, one with notice 0 takes the announcement back.
- The decision is one file, the mark. From the moment it is there nothing opens; lock ends, and the process that starts
  next destroys what else lock has kept, as often as it takes.
- The mark says the newest version that was applied, and is never removed here: no document is taken any more, so none
  takes it back.
- What cannot be read costs the announcement, not the door: it is told in the journal, and the manager signs it anew.
- Pure but for the three files `retirement`, `retirement-count` and `retired`.

`retirement`: the signed document, sealed under lock's own key. `retirement-count`: version (u32) and seconds counted
(u64), sealed likewise. `retired`: magic and version (u32).
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from device.bodies import RECALL, Retirement
from device.document import Parsed
from device.durable import sync_folder
from device.errors import DocumentRefused, StoreFault
from device.journal import log
from device.lock import durable
from device.wire import Ending

LOOK_NS = 60_000_000_000  # a step in the count: what was not looked at for longer counts as this much
KEEP_NS = 300_000_000_000  # what a power cut can take from the count
_HOUR_NS = 3_600_000_000_000
_SECOND_NS = 1_000_000_000
_COUNT = struct.Struct("<IQ")
_MARK = struct.Struct("<5sI")
_MAGIC = b"DWLR\x01"
_MARK_NAME = "retired"


@dataclass(slots=True)
class Retiring:
    """Whether, and when, this door ends. `folder` is lock's state folder, `verify` is `Managers.kept`."""

    folder: Path
    verify: Callable[[bytes], Parsed]
    box: SecretBox = field(repr=False)
    version: int = field(init=False, default=0)  # of the document that lies on disk; 0 without one
    over: bool = field(init=False, default=False)
    _notice_ns: int = field(init=False, default=0)  # 0: no end is announced
    _counted_ns: int = field(init=False, default=0)
    _kept_ns: int = field(init=False, default=0)
    _last_ns: int | None = field(init=False, default=None)  # the last look, if the clock was believed at it
    _due_ns: int = field(init=False, default=0)
    _failing: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.over = marked(self.folder) is not None
        if self.over:
            return
        try:
            self._take(self.verify(bytes(self.box.decrypt(durable.load(self._stored)))))
        except FileNotFoundError:
            return
        except (OSError, ValueError, CryptoError, DocumentRefused) as cause:
            # ValueError: too short to be a box at all.
            log(f"whether this door is to end cannot be read, so it does not until that is signed anew: {cause}")
            return
        self._counted_ns = self._kept_ns = self._stored_count()

    @property
    def ending(self) -> Ending:
        """What is said of it, at the door and to whoever asks."""
        if self.over:
            return Ending.RETIRED
        return Ending.ANNOUNCED if self._notice_ns else Ending.NONE

    @property
    def left_s(self) -> int:
        """Seconds of running time until the announced end; 0 if none is announced."""
        return max(0, self._notice_ns - self._counted_ns) // _SECOND_NS if self.ending is Ending.ANNOUNCED else 0

    @property
    def due(self) -> bool:
        """Whether the announced end has come."""
        return self.ending is Ending.ANNOUNCED and self._counted_ns >= self._notice_ns

    # ---- what happens

    def apply(self, content: bytes, parsed: Parsed) -> None:
        """Announce the end, or take that back, durably. Raises StoreFault; what was announced then stands."""
        if not isinstance(parsed.body, Retirement):
            return
        durable.store(self._stored, bytes(self.box.encrypt(content)), "the announcement of this door's end")
        if parsed.version != self.version:
            self._counted_ns = self._kept_ns = 0
            self._last_ns, self._due_ns = None, 0
        self._take(parsed)

    def deadline_ns(self) -> int | None:
        """When `tick` is due (CLOCK_MONOTONIC); None while nothing is counted."""
        return self._due_ns if self.ending is Ending.ANNOUNCED else None

    def tick(self, now_ns: int, *, believed: bool) -> None:
        """Time has passed; `believed`: the clock is, now."""
        if self.ending is not Ending.ANNOUNCED or now_ns < self._due_ns:
            return
        self._due_ns = now_ns + LOOK_NS
        if believed and self._last_ns is not None:
            self._counted_ns += min(max(0, now_ns - self._last_ns), LOOK_NS)
        self._last_ns = now_ns if believed else None
        if self._counted_ns - self._kept_ns >= KEEP_NS:
            self._keep_count()

    def end(self, version: int) -> None:
        """Decide it: durable when this returns, and nothing takes it back. Raises StoreFault.

        After StoreFault `over` says whether the mark is there: it may be, and then it counts. `version`: of the newest
        document that was applied.
        """
        try:
            durable.store(self.folder / _MARK_NAME, _MARK.pack(_MAGIC, version), "that this door has ended")
        finally:
            self.over = marked(self.folder) is not None

    # ---- the files

    @property
    def _stored(self) -> Path:
        return self.folder / "retirement"

    @property
    def _count(self) -> Path:
        return self.folder / "retirement-count"

    def _take(self, parsed: Parsed) -> None:
        if not isinstance(parsed.body, Retirement):
            msg = "the file holds another document"
            raise DocumentRefused(msg)
        self.version = parsed.version
        self._notice_ns = 0 if parsed.body.notice_hours == RECALL else parsed.body.notice_hours * _HOUR_NS

    def _stored_count(self) -> int:
        """What was counted for the document that lies on disk; 0 if that cannot be said."""
        try:
            version, seconds = _COUNT.unpack(self.box.decrypt(durable.load(self._count)))
        except (OSError, ValueError, CryptoError, struct.error):
            return 0
        return int(seconds) * _SECOND_NS if version == self.version else 0

    def _keep_count(self) -> None:
        content = self.box.encrypt(_COUNT.pack(self.version, self._counted_ns // _SECOND_NS))
        try:
            durable.store(self._count, bytes(content), "how long the end of this door has been announced")
        except StoreFault as fault:
            if not self._failing:
                log(str(fault))
            self._failing = True
            return
        self._failing, self._kept_ns = False, self._counted_ns


def marked(folder: Path) -> int | None:
    """The newest version that a door which has ended had applied; None if the door in `folder` has not ended.

    A mark that cannot be read is one: what has ended opens nothing, whatever became of its disk.
    """
    try:
        magic, version = _MARK.unpack(durable.load(folder / _MARK_NAME))
    except FileNotFoundError:
        return None
    except (OSError, struct.error):
        return 0
    return int(version) if magic == _MAGIC else 0


def finish(folder: Path) -> None:
    """What a start does at a door that has ended: make its mark durable once more, then destroy everything beside it.

    The mark is not written anew: a full disk has no room for that, and nothing would be destroyed on it. Raises
    StoreFault; it may then be called again.
    """
    try:
        with (folder / _MARK_NAME).open("rb") as mark:
            os.fsync(mark.fileno())
        sync_folder(folder)
        for path in sorted(folder.iterdir()):
            if path.name == _MARK_NAME or path.is_dir():
                continue
            with contextlib.suppress(OSError), path.open("r+b") as file:  # best effort: the name goes all the same
                file.write(os.urandom(path.stat().st_size))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
        sync_folder(folder)
    except OSError as cause:
        msg = f"this door has ended, but what lock kept cannot be removed yet: {cause.strerror}"
        raise StoreFault(msg) from cause
