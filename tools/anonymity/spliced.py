"""The product's encoder, asked once for each form of a message instead of for each message.

Rules kept here:
- Weeks of reports differ in nothing but their number and their sealed letters. Those two are put into the bytes that
  `device.report.envelope` made of the first of them; whatever else differs is another form, and encoded anew.
- Nothing is taken for granted: of each form a second message is encoded as well and compared with its splice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from device.report import envelope
from device.report.envelope import MAX_SEQUENCE, SIZE, Envelope

_NUMBER = re.compile(rb'(?<="seq":)\d+')


class NotSpliced(AssertionError):
    """The encoder does more with a message's number or letters than to write them down."""


class Encoder:
    """`device.report.envelope.encode`, with a memory of the last form of each kind of message."""

    def __init__(self) -> None:
        self._forms: dict[bool, _Form] = {}

    def __call__(self, said: Envelope) -> bytes:
        """The payload of `said`. Raises NotSpliced, and what the encoder raises."""
        form = self._forms.get(said.health is None)
        if form is None or not form.fits(said):
            form = self._forms[said.health is None] = _form(said)
        return form.of(said)


@dataclass(frozen=True, slots=True)
class _Form:
    """What stands around number and letters; `like` is the message that it was taken from."""

    like: Envelope
    before: bytes
    between: bytes
    after: bytes

    def fits(self, said: Envelope) -> bool:
        """Whether `said` differs from `like` in nothing but number and letters."""
        like = self.like
        return (
            said.health is like.health
            and said.dropped == like.dropped
            and len(said.sealed) == len(like.sealed)
            and (said.door, said.run, said.software) == (like.door, like.run, like.software)
        )

    def of(self, said: Envelope) -> bytes:
        """The payload of a message that fits."""
        whole = b"%b%d%b%b%b" % (self.before, said.sequence, self.between, said.sealed.encode(), self.after)
        return whole.ljust(SIZE)


def _form(said: Envelope) -> _Form:
    whole = envelope.encode(said)
    number = _NUMBER.search(whole)
    if number is None:
        msg = f"a message has no number: {whole!r}"
        raise NotSpliced(msg)
    rest = whole[number.end() :].rstrip(b" ")
    between, _, after = rest.partition(said.sealed.encode()) if said.sealed else (rest, b"", b"")
    found = _Form(said, whole[: number.start()], between, after)
    other = replace(said, sequence=MAX_SEQUENCE - said.sequence, sealed=said.sealed[::-1])
    if found.of(said) != whole or found.of(other) != envelope.encode(other):
        msg = f"a message is more than its form, a number and letters: {whole!r}"
        raise NotSpliced(msg)
    return found
