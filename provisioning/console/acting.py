"""What the acts of managers have in common: forms that count once, signatures, and what becomes of a document.

Rules kept here:
- What is signed needs the passphrase of the fleet's key, each time: it is asked for in the form, used, and forgotten.
- Wrong passphrases are counted as wrong passwords are.
- A refusal is told on the page of its form, with what was typed, but for the passphrase; the form can be sent again.
- What cannot be undone is done only where somebody has said in the form that it is meant.
- A document is a file in the fleet's folder before it is sent: what the broker does not take, nobody loses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from starlette.responses import Response

from device.errors import Fault, Refusal
from provisioning import document_files, files
from provisioning.console.asked import Asked, View
from provisioning.console.throttle import Key, Kind
from provisioning.errors import FleetRefused
from provisioning.store import Door


class Show(Protocol):
    """Shows the page that a form stands on."""

    def __call__(self, asked: Asked, status: int = 200, sentence: str = "") -> Response:
        """With `sentence` as what was refused."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a document: the file's name; whether the broker has it, and what stood against it ("" if not)."""

    document: str
    sent: bool = False
    trouble: str = ""


def kept(show: Show) -> Callable[[View], View]:
    """A view whose refusal is told beside its form on the page `show`, with what was typed."""

    def around(view: View) -> View:
        def run(asked: Asked) -> Response:
            once = asked.field("once")
            try:
                asked.console.once.use(once)
            except FleetRefused as refused:
                return show(asked, HTTPStatus.CONFLICT, asked.words.refusal(refused))
            try:
                return view(asked)
            except (Refusal, Fault) as refused:
                asked.console.once.give_back(once)
                status = HTTPStatus.SERVICE_UNAVAILABLE if isinstance(refused, Fault) else HTTPStatus.BAD_REQUEST
                return show(asked, status, asked.words.refusal(refused))

        return run

    return around


@contextmanager
def signing(asked: Asked) -> Iterator[str]:
    """The passphrase of the form, for one signature; one after the other, as each takes 256 MiB."""
    console = asked.console
    keys: tuple[Key, ...] = ((Kind.DEVICE, f"passphrase:{asked.who}"),)
    wait_s = console.throttle.charge(keys, console.clock()).wait_s
    if wait_s:
        raise FleetRefused(asked.words("sign_in.wait", minutes=math.ceil(wait_s / 60)))
    with console.signing:
        yield asked.form.get("passphrase", "")
    console.throttle.refund(keys)


def meant(asked: Asked, name: str = "meant") -> None:
    """Raise FleetRefused unless the form says that what cannot be undone is meant."""
    if asked.field(name) != "yes":
        msg = "this cannot be undone, so tick that you mean it; nothing was done"
        raise FleetRefused(msg)


def named(asked: Asked, door_name: str) -> None:
    """Raise FleetRefused unless somebody has typed the door's name, as people do who mean this very door."""
    if asked.field("name") != door_name:
        msg = f'to say which door is meant, type its name as it stands here: "{door_name}"; nothing was done'
        raise FleetRefused(msg)


def carried(asked: Asked, door: Door, version: int, document: bytes) -> Sent:
    """Keep a document as a file, and send it to its door if that was wanted. Raises FleetRefused or FleetFault."""
    name = document_files.name(door, version)
    files.create(asked.fleet.folder / name, document)
    if asked.field("send") != "yes" or asked.console.ear is None:
        return Sent(name)
    try:
        asked.console.ear.send(door, document)
        asked.fleet.store.record("door send", door.id)
    except (Refusal, Fault) as trouble:
        return Sent(name, trouble=asked.words.refusal(trouble))
    return Sent(name, sent=True)
