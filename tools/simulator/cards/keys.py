"""ChangeKey and GetKeyVersion (AN12757 "ChangeKey"; AN12196 tables 25 and 26; AN12343 tables 39 and 40).

Rules kept here:
- A key is changed only by who may: the key settings name the key that changes keys; the master key needs itself.
- Whoever changes another key than its own shows that it knew the old one. Changing one's own key ends the session.
"""

from __future__ import annotations

from tools.simulator.cards.field import Answer, Asked, Field, require, split
from tools.simulator.cards.memory import CHANGE_MASTER, FREE, NEVER, PICC, Application
from tools.simulator.cards.status import Refused, Status


def change_key(field: Field, asked: Asked) -> Answer:
    """C4."""
    header, cryptogram = split(asked.data, 1)
    number, session, application = header[0], field.session, field.application
    require(session.key_no is not None, Status.AUTHENTICATION)
    require(number < len(application.keys), Status.NO_SUCH_KEY)
    may_change(application, number, session.key_no)
    own = session.key_no == number
    new = session.new_key(asked.ins, header, cryptogram, None if own else application.keys[number].value)
    application.keys[number] = new
    if own:
        field.drop()
        return Answer()
    return field.good()


def may_change(application: Application, number: int, key_no: int | None) -> None:
    """Whether a session of key `key_no` may change key `number`. Raises Refused."""
    changer = application.settings >> 4
    if number == 0:
        require(application.settings & CHANGE_MASTER, Status.PERMISSION_DENIED)
        changer = 0
    if changer == NEVER:
        raise Refused(Status.PERMISSION_DENIED)
    if changer == FREE:  # each key changes itself
        changer = number
    elif changer == number:  # the key that changes keys is changed by the master key
        changer = 0
    require(key_no == changer, Status.AUTHENTICATION)


def get_key_version(field: Field, asked: Asked) -> Answer:
    """64."""
    header, rest = split(asked.data, 1)
    field.session.request(asked.ins, header, rest, field.session.usual)
    number = header[0]
    if field.selected == PICC:
        require(number == 0, Status.NO_SUCH_KEY)
        return field.good(b"\x00")
    require(number < len(field.application.keys), Status.NO_SUCH_KEY)
    return field.good(bytes([field.application.keys[number].version]))
