"""A spliced message is, byte for byte, what the product's encoder makes; where it would not be, nothing goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from device.report import envelope
from device.report.envelope import Envelope
from device.report.health import Health
from device.report.seal import LETTERS
from tools.anonymity import behaviour, voices
from tools.anonymity.spliced import Encoder, NotSpliced

FIRST = Envelope("00112233445566ff", "0a0b0c0d", 1, "0.1.0", 0, Health(), "A" * LETTERS)
OTHERS = (
    replace(FIRST, sequence=1_000_000, sealed="b" * LETTERS),
    replace(FIRST, health=None),
    replace(FIRST, health=Health(camera=False)),
    replace(FIRST, health=Health(count=7)),
    replace(FIRST, dropped=3),
    replace(FIRST, sealed=""),
    replace(FIRST, run="0a0b0c0e"),
    replace(FIRST, software="another"),
)


def test_whatever_differs_from_the_message_before_is_as_the_product_writes_it() -> None:
    encoder = Encoder()
    for each in OTHERS:
        for said in (FIRST, each):
            assert encoder(said) == envelope.encode(said)


def test_the_first_trials_of_every_line_are_those_that_the_product_encodes(monkeypatch: pytest.MonkeyPatch) -> None:
    told = behaviour.told()
    monkeypatch.setattr(voices.Building, "encode", lambda _, said: envelope.encode(said))
    assert behaviour.told() == told


@pytest.mark.parametrize("leak", [lambda said: b" " * (said.sequence % 2), lambda said: said.sealed[:1].encode()])
def test_an_encoder_that_makes_more_of_the_number_or_the_letters_is_not_spliced(
    leak: Callable[[Envelope], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    product = envelope.encode
    monkeypatch.setattr(envelope, "encode", lambda said: product(said) + leak(said))
    with pytest.raises(NotSpliced, match="more than its form"):
        Encoder()(replace(FIRST, sealed="AB" * (LETTERS // 2)))
