"""What a card may answer: exchanges of keeper with simulated cards, heard once and played again with changes.

Rules kept here:
- Whatever is answered, an exchange ends, says nothing that does not fit a message, and raises nothing.
- A card opens with the answers that it gave to these very numbers, and with no others: keeper's side is given the same
  random bytes as when they were heard, so that each answer is right in one way.
- A card is added under the serial that the door drew, whatever it says of itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TypeVar

from device.keeper.cards.diversify import CardKeys
from device.keeper.cards.exchange import Added, adding, opening
from device.keeper.cards.registered import Registered
from device.keeper.cards.steps import Draw, Steps, Transmit
from device.wire import MAX_APDU
from tools.endurance.fuzz import Target, Wrong
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.memory import Kind

_KEYS = CardKeys(bytes(range(16)), bytes.fromhex("00112233445566aa"))
_UID = bytes.fromhex("04782e21801d80")
_SERIAL = 77
_MOST_STEPS = 60  # to add a card takes about two dozen at most
_CHIPS = (Kind.DESFIRE_EV1, Kind.DESFIRE_EV2, Kind.NTAG424)
_SILENCE = b"\x6f\x00"
_T = TypeVar("_T")
_Says = Callable[[bytes], bytes]


def card_answers() -> tuple[Target, ...]:
    """One for each kind of card: opening, being added, and being added again."""
    found: list[Target] = []
    for kind in _CHIPS:
        card = SimulatedCard.new(kind, _UID, randomness=_counting())
        adds, added = _heard(adding(_UID, _KEYS, _SERIAL, _counting()), card.process)
        if not isinstance(added, Added):
            msg = f"a simulated card of kind {kind.value} cannot be added: {added.value}"
            raise TypeError(msg)
        card.reset()
        opens, _ = _heard(opening(added.card, _KEYS, added.kept, _counting()), card.process)
        found.append(Target(f"card that opens, {kind.value}", (_joined(opens),), _opens(added, tuple(opens)), ()))
        found.append(Target(f"card that is added, {kind.value}", (_joined(adds),), _adds(added.card), ()))
        card.reset()
        again, renewed = _heard(adding(_UID, _KEYS, _SERIAL + 1, _counting()), card.process)
        if not isinstance(renewed, Added):
            msg = f"a simulated card of kind {kind.value} cannot be added again: {renewed.value}"
            raise TypeError(msg)
        found.append(Target(f"card that is added again, {kind.value}", (_joined(again),), _adds(renewed.card), ()))
    return tuple(found)


def _counting() -> Draw:
    """Bytes that never repeat, and are the same in every run."""
    numbers = itertools.count(1)
    return lambda size: next(numbers).to_bytes(size, "big")


def _heard(exchange: Steps[_T], says: _Says) -> tuple[list[bytes], _T]:
    """What was answered, and how it ended. Raises Wrong for an exchange that does not end, or says too much."""
    answer: bytes | None = None
    answers: list[bytes] = []
    try:
        for _ in range(_MOST_STEPS):
            step = exchange.send(answer)
            answer = None
            if isinstance(step, Transmit):
                if len(step.apdu) > MAX_APDU:
                    raise Wrong("says more to a card than a message holds")
                answer = says(step.apdu)
                answers.append(answer)
    except StopIteration as end:
        value: _T = end.value
        return answers, value
    raise Wrong("talks to a card without end")


def _joined(answers: list[bytes]) -> bytes:
    return b"".join(bytes((len(answer),)) + answer for answer in answers)


def _played(data: bytes) -> _Says:
    """Somebody who answers what stands in `data`, each behind its length, and then nothing sensible."""
    rest = iter(data)
    return lambda _apdu: bytes(itertools.islice(rest, next(rest, 0))) or _SILENCE


def _opens(added: Added, honest: tuple[bytes, ...]) -> Callable[[bytes], bool]:
    def feed(data: bytes) -> bool:
        answers, ended = _heard(opening(added.card, _KEYS, added.kept, _counting()), _played(data))
        if ended.opens and tuple(answers) != honest:
            raise Wrong("opened with answers that this card did not give")
        return ended.opens

    return feed


def _adds(card: Registered) -> Callable[[bytes], bool]:
    def feed(data: bytes) -> bool:
        _, ended = _heard(adding(_UID, _KEYS, card.serial, _counting()), _played(data))
        if isinstance(ended, Added) and ended.card != card:
            raise Wrong("added a card of another kind or number than the one in the field, or under another serial")
        return isinstance(ended, Added)

    return feed
