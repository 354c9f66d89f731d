"""What vault takes from eye at a door with lights, and at one without."""

from dataclasses import replace

import pytest

from device.vault.gallery import gallery_of
from device.vault.recognition import Recogniser
from device.vault.record import unit_vector
from device.vault.rotation import Rotation
from device.wire import Attack, Probe, Sample
from tests.unit.vault.tails import fixed
from tests.unit.vault.values import MODEL, unit

NOW_NS = 10**12


def probe(attack: Attack) -> Probe:
    return Probe(b"\1" * 16, NOW_NS, 3, attack, MODEL[:8], unit(1).astype("<f4").tobytes())


def sample(attack: Attack) -> Sample:
    return Sample(b"\1" * 16, NOW_NS, 0, attack, MODEL[:8], unit(1).astype("<f4").tobytes())


def taken(recogniser: Recogniser, seen: Probe | Sample) -> bool:
    return recogniser.usable(seen, NOW_NS) is not None


def test_at_a_door_with_lights_only_what_was_bona_fide_or_turned_counts() -> None:
    lit = Recogniser(MODEL[:8], fixed(0.6), lights=True)
    assert {attack for attack in Attack if taken(lit, probe(attack))} == {Attack.BONA_FIDE, Attack.MOVED}


def test_without_the_lights_rule_an_untested_probe_would_count_there() -> None:
    unlit = Recogniser(MODEL[:8], fixed(0.6), lights=False)
    assert {attack for attack in Attack if taken(unlit, probe(attack))} == {Attack.NOT_TESTED, Attack.BONA_FIDE}


@pytest.mark.parametrize("lights", [False, True])
def test_an_enrolment_has_no_challenge_and_takes_no_attack(*, lights: bool) -> None:
    recogniser = Recogniser(MODEL[:8], fixed(0.6), lights=lights)
    assert taken(recogniser, sample(Attack.NOT_TESTED))
    assert not taken(recogniser, sample(Attack.PRESENTATION))
    assert not taken(recogniser, sample(Attack.INCONCLUSIVE))
    assert not taken(recogniser, sample(Attack.MOVED))


def test_a_probe_without_an_embedding_is_refused_even_if_it_says_bona_fide() -> None:
    lit = Recogniser(MODEL[:8], fixed(0.6), lights=True)
    empty = Probe(b"\1" * 16, NOW_NS, 1, Attack.BONA_FIDE, MODEL[:8], bytes(512))
    assert unit_vector(empty.embedding) is None
    assert not taken(lit, empty)


def test_what_was_called_an_attack_costs_nobody_a_comparison_however_often() -> None:
    """Nobody is kept out by a picture in somebody else's hand; nor is whoever holds it up (docs/liveness.md)."""
    lit, turned = Recogniser(MODEL[:8], fixed(0.6), lights=True), Rotation.of(bytes(32))
    gallery = gallery_of({11: turned.apply(unit(1))}, turned)
    for press in range(360):
        assert lit.judge(replace(probe(Attack.PRESENTATION), nonce=press.to_bytes(16)), gallery, NOW_NS) is None
    assert lit.judge(replace(probe(Attack.BONA_FIDE), nonce=b"\2" * 16), gallery, NOW_NS) == 11
