"""What a door tells by itself: its profile, the daily count, and whom it seals the reason of an alarm to.

Rules kept here:
- Whatever is not named is not told, as with `doorward reporting set`: the form shows all of it, and what is left empty
  is not told.
- The profile of a home is chosen only where somebody has said that it is their own home.
"""

from __future__ import annotations

import math

from starlette.responses import Response

from device.document import LEAST_EPSILON_MILLI, MOST_EPSILON_MILLI, NO_COUNT, Telling
from device.wire import NO_ALARM_KEY, Profile
from provisioning import reporting
from provisioning.console import acting
from provisioning.console.asked import Asked
from provisioning.console.doors import name_of
from provisioning.errors import FleetRefused

_PROFILES = {"building": Profile.BUILDING, "home": Profile.HOME}
LEAST, MOST = LEAST_EPSILON_MILLI / 1000, MOST_EPSILON_MILLI / 1000


def show(asked: Asked, status: int = 200, sentence: str = "") -> Response:
    """The page of what a door tells; with what was typed, if it was refused."""
    door = asked.console.store.door(name_of(asked))
    chosen = reporting.chosen(door)
    now = chosen or Telling()
    filled = {
        "profile": now.profile.name.lower(),
        "epsilon": f"{now.epsilon_milli / 1000:g}" if now.epsilon_milli != NO_COUNT else "",
        "alarm_key": now.alarm_key.hex() if now.alarm_key != NO_ALARM_KEY else "",
    }
    return asked.page(
        "telling.html",
        status,
        door=door,
        chosen=chosen,
        filled={**filled, **asked.form} if sentence else filled,
        least=f"{LEAST:g}",
        most=f"{MOST:g}",
        once=asked.console.once.new(),
        broker=asked.console.ear is not None,
        sentence=sentence,
    )


def page(asked: Asked) -> Response:
    """The same, to look at."""
    return show(asked)


@acting.kept(show)
def change(asked: Asked) -> Response:
    """Let the door tell what the form says."""
    telling = _telling(asked)
    with acting.signing(asked) as passphrase:
        made = reporting.set_reporting(
            asked.fleet, name_of(asked), telling, now_unix=asked.now_unix, passphrase=passphrase
        )
    sent = acting.carried(asked, made.door, made.version, made.document)
    return asked.page("telling_made.html", door=made.door, made=sent)


def _telling(asked: Asked) -> Telling:
    profile = _PROFILES.get(asked.field("profile"))
    if profile is None:
        msg = "a door tells as one of a building or as one of a home"
        raise FleetRefused(msg)
    if profile is Profile.HOME and asked.field("own_home") != "yes":
        msg = (
            "the profile of a home tells live whether the door is locked and shut, and with that when people come and "
            "go; tick that it is your own home, or take the profile of a building"
        )
        raise FleetRefused(msg)
    key = reporting.public_key(asked.field("alarm_key")) if asked.field("alarm_key") else NO_ALARM_KEY
    return Telling(profile, _epsilon_milli(asked.field("epsilon")), key)


def _epsilon_milli(word: str) -> int:
    if not word:
        return NO_COUNT
    try:
        epsilon = float(word)
    except ValueError:
        epsilon = math.nan
    if not LEAST <= epsilon <= MOST:
        msg = f"the noise of a daily count is a number from {LEAST:g} to {MOST:g} (0.5 is usual; less hides more)"
        raise FleetRefused(msg)
    return round(epsilon * 1000)
