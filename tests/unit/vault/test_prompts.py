"""Prompts are prompts: whatever eye asked somebody to do, too dark or uncover, the threshold is the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from device import wire
from device.edges import Room
from device.vault.loop import GUIDANCE_EVERY_NS, Vault
from device.wire import Attack, Hint, LookMode
from tests.unit.vault.house import House, another_house
from tests.unit.vault.tails import fixed
from tests.unit.vault.values import MODEL, THRESHOLD, at_cosine, unit

ANNA = unit(1)
MARGIN = 0.05  # around the threshold of this house
PROMPTS = [hint for hint in Hint if hint not in (Hint.CONFIRM_WITH_PIN, Hint.LOOKS_LIKE_ANOTHER)]


@contextmanager
def lived_in() -> Iterator[House]:
    with another_house() as house:
        house.enrol(11, ANNA)
        yield house


def opened_after(house: House, hint: Hint | None, cosine: float) -> bool:
    """Whether a face this like the resident's is recognised in an approach in which eye gave `hint` before."""
    house.wait(30)
    name = house.window(LookMode.RECOGNISE)
    if hint is not None:
        house.now_ns += GUIDANCE_EVERY_NS
        house.say(Room.EYE, wire.Guidance(name, hint))
    template = house.template(11)
    face = at_cosine(template, cosine).astype("<f4").tobytes()
    house.say(Room.EYE, wire.Probe(name, house.now_ns, 3, Attack.NOT_TESTED, MODEL[:8], face))
    return house.got(Room.LOCK, wire.Verdict)[-1].slot == 11


@pytest.mark.parametrize("hint", [None, *PROMPTS])
def test_the_threshold_does_not_move_for_a_prompt(hint: Hint | None) -> None:
    with lived_in() as house:
        assert opened_after(house, hint, THRESHOLD + MARGIN)
        assert not opened_after(house, hint, THRESHOLD - MARGIN)


@pytest.mark.parametrize("hint", [Hint.UNCOVER_YOUR_FACE, Hint.TOO_DARK])
def test_a_vault_that_makes_allowances_is_seen(monkeypatch: pytest.MonkeyPatch, hint: Hint) -> None:
    real = Vault._guide

    def lenient(self: Vault, msg: wire.Guidance) -> None:
        real(self, msg)
        self.recogniser.thresholds = fixed(THRESHOLD - 2 * MARGIN)

    monkeypatch.setattr(Vault, "_guide", lenient)
    with pytest.raises(AssertionError):
        test_the_threshold_does_not_move_for_a_prompt(hint)


def test_of_how_a_face_was_seen_vault_is_told_nothing_but_whether_it_was_covered() -> None:
    """No threshold follows from dark; what follows from covered stands in test_covered.py, and it is never lower."""
    for kind in (wire.Probe, wire.Sample):
        names = {field.name for field in dataclasses.fields(kind)}
        assert names - {"frames", "index"} == {"nonce", "frame_ns", "attack", "model", "embedding", "covered"}
