"""The end of a door: announced, taken back, and the door given up with its receipt.

Rules kept here:
- An owner announces it, having typed the door's name and ticked that it is meant; any manager takes it back.
- What happens to the people behind the door stands on the page before it is announced and after.
- A door is given up with its receipt alone; whether its key was compared is said.
"""

from __future__ import annotations

from starlette.responses import Response

from device.bodies import LEAST_NOTICE_HOURS, MOST_NOTICE_HOURS, RECALL
from provisioning import retiring
from provisioning.console import acting
from provisioning.console.asked import Asked
from provisioning.console.doors import name_of
from provisioning.errors import FleetRefused


def show(asked: Asked, status: int = 200, sentence: str = "") -> Response:
    """The page of a door's end."""
    door = asked.console.store.door(name_of(asked))
    return asked.page(
        "ending.html",
        status,
        door=door,
        least=LEAST_NOTICE_HOURS,
        most=MOST_NOTICE_HOURS,
        once=asked.console.once.new(),
        broker=asked.console.ear is not None,
        sentence=sentence,
        typed=asked.form,
    )


def page(asked: Asked) -> Response:
    """The same, to look at."""
    return show(asked)


@acting.kept(show)
def announce(asked: Asked) -> Response:
    """Make the document with which a door announces its end."""
    acting.named(asked, name_of(asked))
    acting.meant(asked)
    hours = asked.number("hours")
    if hours == RECALL:
        msg = f"the end of a door is announced for {LEAST_NOTICE_HOURS} to {MOST_NOTICE_HOURS} hours"
        raise FleetRefused(msg)
    return _announced(asked, hours)


@acting.kept(show)
def recall(asked: Asked) -> Response:
    """Make the document that takes the announcement back."""
    return _announced(asked, RECALL)


@acting.kept(show)
def give_up(asked: Asked) -> Response:
    """Give a door up that has ended, with the receipt that it signed."""
    name = name_of(asked)
    acting.named(asked, name)
    acting.meant(asked)
    text = asked.field("receipt")
    if asked.upload is not None and asked.upload.content:
        text = asked.upload.content.decode("ascii", "replace")
    if not text:
        msg = "choose the file with the receipt, or put its text into the form"
        raise FleetRefused(msg)
    key = retiring.key_read_out(asked.field("key")) if asked.field("key") else None
    verified = retiring.give_up_with(asked.fleet, name, text, now_unix=asked.now_unix, door_key=key)
    return asked.page(
        "given_up.html", door=asked.fleet.store.door(name), key=verified.door_key.hex(), compared=key is not None
    )


def _announced(asked: Asked, hours: int) -> Response:
    with acting.signing(asked) as passphrase:
        made = retiring.announce(asked.fleet, name_of(asked), hours, now_unix=asked.now_unix, passphrase=passphrase)
    sent = acting.carried(asked, made.door, made.version, made.document)
    return asked.page("announced.html", door=made.door, hours=made.notice_hours, made=sent)
