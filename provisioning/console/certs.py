"""A door's certificate: the next one, and its end before its time.

Rules kept here:
- What was revoked a broker still lets in until it has the list: the answer says so every time, and gives the list where
  the passphrase came along. To revoke needs none, so that nobody looks for it first.
- The next certificate is made for the question that the door asked: as the broker has it, or from a file.
"""

from __future__ import annotations

import secrets

from starlette.responses import Response

from device.errors import Fault, Refusal
from provisioning import authority, files, revocation
from provisioning.console import acting
from provisioning.console.asked import Asked
from provisioning.console.doors import name_of
from provisioning.errors import FleetRefused
from provisioning.renewing import Renewer

LIST = "revoked.pem"


def show(asked: Asked, status: int = 200, sentence: str = "") -> Response:
    """The page of a door's certificates."""
    store, console = asked.console.store, asked.console
    door = store.door(name_of(asked))
    return asked.page(
        "certificate.html",
        status,
        door=door,
        certificates=tuple(reversed(store.certificates(door.name)[-5:])),
        has_authority=console.fleet.has_authority,
        asks=console.ear is not None and console.ear.question(door.id) is not None,
        listed=(console.fleet.folder / LIST).exists(),
        once=console.once.new(),
        sentence=sentence,
    )


def page(asked: Asked) -> Response:
    """The same, to look at."""
    return show(asked)


@acting.kept(show)
def renew(asked: Asked) -> Response:
    """Make the next certificate of a door that asks for it."""
    name, fleet, console = name_of(asked), asked.fleet, asked.console
    door = fleet.store.door(name)
    by_broker = asked.field("by") == "broker"
    question = console.ear.question(door.id) if by_broker and console.ear is not None else None
    if question is None and by_broker:
        msg = "this door has not asked for its next certificate; it does so after two thirds of the present one"
        raise FleetRefused(msg)
    if question is None:
        if asked.upload is None or not asked.upload.content:
            msg = "choose a file first"
            raise FleetRefused(msg)
        question = asked.upload.content
    with acting.signing(asked) as passphrase:
        renewer = Renewer(fleet, authority.opened(fleet.folder, passphrase))
        made = renewer.renew(name, question, asked.now_unix, again=True)
    if made is None:
        msg = f'"{name}" was answered already'
        raise FleetRefused(msg)
    answer = f"{door.id}-{secrets.token_hex(8)}.answer"
    files.create(fleet.folder / answer, made.answer)
    sent, trouble = False, ""
    if by_broker and console.ear is not None:
        try:
            console.ear.answer(door, made.answer)
            sent = True
        except (Refusal, Fault) as cause:
            trouble = asked.words.refusal(cause)
    return asked.page("renewed.html", door=door, ends_unix=made.ends_unix, answer=answer, sent=sent, trouble=trouble)


@acting.kept(show)
def revoke(asked: Asked) -> Response:
    """End a door's certificates now, and its open label."""
    name, fleet = name_of(asked), asked.fleet
    acting.meant(asked)
    ended = fleet.store.revoke_door(name, asked.now_unix)
    listed, trouble = None, ""
    if asked.form.get("passphrase", ""):
        try:
            listed = _listed(asked)
        except (Refusal, Fault) as cause:
            trouble = asked.words.refusal(cause)
    return asked.page("revoked.html", door=fleet.store.door(name), count=len(ended), listed=listed, trouble=trouble)


@acting.kept(show)
def make_list(asked: Asked) -> Response:
    """The list of revoked certificates for the brokers, as it is now."""
    door = asked.fleet.store.door(name_of(asked))
    return asked.page("revoked.html", door=door, count=None, listed=_listed(asked), trouble="")


def _listed(asked: Asked) -> revocation.Listed:
    fleet = asked.fleet
    with acting.signing(asked) as passphrase:
        issuer = authority.opened(fleet.folder, passphrase)
    listed = revocation.write(fleet, issuer, fleet.folder / LIST, revocation.DAYS, asked.now_unix)
    fleet.store.record("broker revoked")
    return listed
