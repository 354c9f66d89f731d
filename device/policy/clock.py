"""Which time a door believes: wall clocks jump, and a small board starts with the time at which it was switched off.

Rules kept here:
- The clock is believed unless it stands before the newest moment the door knows of: 2024, the time at which the newest
  document was issued, or what the clock said before. So no hour that has ended is opened again by setting it back.
- The time that counts never goes back. A correction of up to two minutes makes it stand still; a clock that goes back
  further is not believed until it has caught up.
- A new document of the manager also repairs: if it finds a clock that is not believed, it sets the newest moment to its
  own, even an earlier one. Otherwise one hour with a wrong time server would close a door's schedules for years.
- Pure: the newest moment is kept on disk by lock, and a clock that jumped ahead gets there only after an hour.
"""

from __future__ import annotations

from dataclasses import dataclass

EARLIEST_UNIX = 1_704_067_200  # 2024-01-01 UTC: no door of ours is older
LATEST_UNIX = 4_102_444_800  # 2100-01-01 UTC: what is later is a broken clock, not a door's
SLACK_S = 120  # the clocks of a manager's computer and of a door differ by so much without being wrong


@dataclass(frozen=True, slots=True)
class Clock:
    """`newest_unix`: the newest moment known, in seconds since 1970."""

    newest_unix: int = EARLIEST_UNIX

    def read(self, wall_unix: int) -> tuple[Clock, int | None]:
        """The time that counts while the wall clock says `wall_unix`, None if it is not believed."""
        if not self.newest_unix - SLACK_S <= wall_unix <= LATEST_UNIX:
            return self, None
        if wall_unix <= self.newest_unix:
            return self, self.newest_unix
        return Clock(wall_unix), wall_unix

    def told(self, issued_unix: int, wall_unix: int) -> Clock:
        """A newer document was issued at `issued_unix`."""
        known, now = self.read(wall_unix)
        newest = issued_unix if now is None else max(known.newest_unix, issued_unix)
        return Clock(max(EARLIEST_UNIX, newest))


LOST = Clock(2**62)  # the newest moment cannot be read: no clock is believed until a document says what time it is
