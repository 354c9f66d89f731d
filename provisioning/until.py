"""The last day of a place, and the moment it ends.

Rules kept here:
- A day is written in one way, YYYY-MM-DD, and ends at midnight as clocks show it where this computer stands: that is
  what "until the 30th of June" means to whoever moves out. The moment itself is stored and signed, without a time zone.
- A day that is over, or more than ten years ahead, is a typing mistake and costs nothing.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from device.wire import NO_END
from provisioning.errors import FleetRefused

MOST_YEARS = 10


def day(text: str) -> date:
    """The day that `text` names. Raises FleetRefused."""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    msg = f"a place ends on a day such as 2027-06-30, not on {text!r}"
    raise FleetRefused(msg)


def end_of(last: date, now_unix: int) -> int:
    """The first second after the day `last`, since 1970. Raises FleetRefused if no place may end then."""
    today = datetime.fromtimestamp(now_unix).astimezone().date()
    if last < today:
        msg = f"the last day {last} is over already; a place ends today or later"
        raise FleetRefused(msg)
    if last > _years_after(today, MOST_YEARS):
        msg = f"a place ends within {MOST_YEARS} years, and {last} is later"
        raise FleetRefused(msg)
    return int(datetime.combine(last + timedelta(days=1), time.min).timestamp())


def shown(ends_unix: int) -> str:
    """The last day of a place for people, "" if it has none."""
    if ends_unix == NO_END:
        return ""
    return datetime.fromtimestamp(ends_unix - 1).astimezone().date().isoformat()


def _years_after(today: date, years: int) -> date:
    try:
        return today.replace(year=today.year + years)
    except ValueError:  # the 29th of February
        return today.replace(year=today.year + years, day=28)
