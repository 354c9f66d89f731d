"""AuthenticateAES, AuthenticateEV2First and AuthenticateEV2NonFirst (AN12757 table 20, AN12196 tables 14, 19 and 23).

Rules kept here:
- The card's random number is fresh for each try and forgotten with the try.
- Both sides prove the key before there is a session; a wrong proof is AUTHENTICATION_ERROR, and nothing else is told.
- A session that was there ends as soon as an authentication begins; NonFirst alone needs one, and keeps its TI and
  counter.
"""

from __future__ import annotations

from collections.abc import Callable

from tools.simulator.cards import aes
from tools.simulator.cards.ev1 import Ev1Session, session_key
from tools.simulator.cards.ev2 import Ev2Session, session_keys
from tools.simulator.cards.field import Answer, Asked, Field, require, split
from tools.simulator.cards.memory import PICC, Kind
from tools.simulator.cards.status import Refused, Status

_TRANSACTION_BYTES = 4
_CAPABILITIES_BYTES = 6  # PDcap2 and PCDcap2 in the answer

Finish = Callable[[bytes, bytes, bytes], bytes]  # key, RndA, RndB -> the plaintext of the last answer


def authenticate_aes(field: Field, asked: Asked) -> Answer:
    """AA: a DESFire EV1 session."""
    require(len(asked.data) == 1, Status.LENGTH)
    number = asked.data[0]

    def finish(_key: bytes, rnd_a: bytes, rnd_b: bytes) -> bytes:
        field.session = Ev1Session(number, session_key(rnd_a, rnd_b))
        return aes.rotated(rnd_a)

    # EV1 goes on where the last cryptogram ended; the later commands start each one anew.
    return _challenge(field, number, finish, chained=True)


def authenticate_ev2_first(field: Field, asked: Asked) -> Answer:
    """71: an EV2 session with a transaction identifier of its own."""
    (number, length), capabilities = split(asked.data, 2)
    require(len(capabilities) == length <= _CAPABILITIES_BYTES, Status.LENGTH)

    def finish(key: bytes, rnd_a: bytes, rnd_b: bytes) -> bytes:
        transaction = field.randomness(_TRANSACTION_BYTES)
        field.session = Ev2Session(number, *session_keys(key, rnd_a, rnd_b), transaction)
        ours = bytes(_CAPABILITIES_BYTES)
        return transaction + aes.rotated(rnd_a) + ours + capabilities.ljust(_CAPABILITIES_BYTES, b"\x00")

    return _challenge(field, number, finish, chained=False)


def authenticate_ev2_non_first(field: Field, asked: Asked) -> Answer:
    """77: another key within the same transaction."""
    require(len(asked.data) == 1, Status.LENGTH)
    number, before = asked.data[0], field.session
    if not isinstance(before, Ev2Session):
        raise Refused(Status.PERMISSION_DENIED)
    transaction, counter = before.transaction, before.counter

    def finish(key: bytes, rnd_a: bytes, rnd_b: bytes) -> bytes:
        field.session = Ev2Session(number, *session_keys(key, rnd_a, rnd_b), transaction, counter)
        return aes.rotated(rnd_a)

    return _challenge(field, number, finish, chained=False)


def _challenge(field: Field, number: int, finish: Finish, *, chained: bool) -> Answer:
    field.drop()
    require(field.selected != PICC or field.memory.kind is not Kind.NTAG424, Status.PERMISSION_DENIED)
    if field.selected == PICC:  # the master key of a delivered DESFire is a DES key
        raise Refused(Status.NO_SUCH_KEY if number else Status.AUTHENTICATION)
    require(number < len(field.application.keys), Status.NO_SUCH_KEY)
    key = field.application.keys[number].value
    rnd_b = field.randomness(aes.BLOCK)
    challenge = aes.encrypt(key, aes.ZERO, rnd_b)

    def proof(payload: bytes) -> Answer:
        require(len(payload) == 2 * aes.BLOCK, Status.LENGTH)
        plain = aes.decrypt(key, challenge if chained else aes.ZERO, payload)
        require(plain[aes.BLOCK :] == aes.rotated(rnd_b), Status.AUTHENTICATION)
        last = finish(key, plain[: aes.BLOCK], rnd_b)
        return Answer(aes.encrypt(key, payload[-aes.BLOCK :] if chained else aes.ZERO, last))

    field.following = proof
    return Answer(challenge, Status.MORE)
