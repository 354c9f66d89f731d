"""The measurement tells apart what differs, says how little it would have seen, and accuses nobody of chance."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from device.keeper.attempt import Guard
from device.keeper.match import Shown
from tests.unit.keeper.bench import CHEAP
from tools.benchmark import alike
from tools.benchmark.figures import NotMeasured

ROUNDS = 40


def taken(shift_ms: float = 0.0, kind: str = "duress PIN", seed: int = 1) -> alike.Samples:
    """Times as a machine with other work takes them; those of `kind` later by `shift_ms`."""
    rng = np.random.default_rng(seed)
    kinds = (alike.RIGHT, "wrong PIN", "duress PIN", "unknown flat", alike.MARKED)
    return {name: 80.0 + rng.gamma(2.0, 1.5, ROUNDS) + (shift_ms if name == kind else 0.0) for name in kinds}


def test_every_kind_is_measured_as_often_as_asked_for_and_ends_as_it_must() -> None:
    found = alike.samples(3, CHEAP)
    assert {kind: times.size for kind, times in found.items()} == dict.fromkeys(found, 3)
    assert {alike.RIGHT, alike.MARKED, "duress PIN", "window code", "unknown flat", "wrong PIN"} <= set(found)
    assert {alike.REDEEMED, alike.USED_INVITATION, alike.WRONG_INVITATION, alike.CANCELLED} <= set(found)
    assert all((times > 0).all() for times in found.values())


@pytest.mark.parametrize("rounds", [0, 65])
def test_there_are_64_one_time_codes_to_measure_with(rounds: int) -> None:
    with pytest.raises(ValueError, match="64"):
        alike.samples(rounds, CHEAP)


def test_a_kind_that_ends_otherwise_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    attempt_ms = alike._attempt_ms

    def mistyped(kind: str, guard: Guard, shown: Shown) -> float:
        return attempt_ms(kind, guard, dataclasses.replace(shown, digits="905217"))

    monkeypatch.setattr(alike, "_attempt_ms", mistyped)
    with pytest.raises(NotMeasured):
        alike.samples(1, CHEAP)


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("seed", range(5))
def test_alike_kinds_are_not_told_apart(seed: int) -> None:
    differences = alike.compare(taken(seed=seed))
    assert [each.kind for each in differences] == ["wrong PIN", "duress PIN", "unknown flat"]
    assert not any(each.told_apart for each in differences)


@pytest.mark.parametrize("shift_ms", [-4.0, 4.0])
def test_a_kind_that_takes_longer_or_shorter_is_told_apart(shift_ms: float) -> None:
    told = {each.kind: each.told_apart for each in alike.compare(taken(shift_ms))}
    assert told == {"wrong PIN": False, "duress PIN": True, "unknown flat": False}


def invitations(shift_ms: float = 0.0) -> alike.Samples:
    """As `taken`, with two stretches each; a used one and a redeemed one later by `shift_ms`."""
    rng = np.random.default_rng(2)
    kinds = (alike.WRONG_INVITATION, alike.USED_INVITATION, "invitation, unknown flat", alike.REDEEMED)
    later = (alike.USED_INVITATION, alike.REDEEMED)
    return {name: 160.0 + rng.gamma(2.0, 1.5, ROUNDS) + (shift_ms if name in later else 0.0) for name in kinds}


@pytest.mark.exhaustive(1)
@pytest.mark.parametrize(("shift_ms", "apart"), [(0.0, False), (4.0, True), (-4.0, True)])
def test_used_invitation_is_compared_with_a_wrong_one_and_a_redeemed_one_with_none(
    shift_ms: float, apart: bool
) -> None:
    told = {each.kind: each.told_apart for each in alike.compare({**taken(), **invitations(shift_ms)})}
    assert told[alike.USED_INVITATION] is apart
    assert told["invitation, unknown flat"] is False
    assert not {alike.REDEEMED, alike.WRONG_INVITATION, alike.RIGHT} & set(told)
    assert not any(told[kind] for kind in ("wrong PIN", "unknown flat")), "two stretches are no longer PIN"


@pytest.mark.parametrize("kind", [alike.USED_INVITATION, alike.CANCELLED])
def test_keeper_that_knows_nothing_again_is_not_measured(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt_ms = alike._attempt_ms

    def forgotten(name: str, guard: Guard, shown: Shown) -> float:
        held = guard.book.held(shown.claim)
        if name == kind and held:
            guard.book.keep(shown.claim, held.forgetting())
        return attempt_ms(name, guard, shown)

    monkeypatch.setattr(alike, "_attempt_ms", forgotten)
    with pytest.raises(NotMeasured, match=kind):
        alike.samples(1, CHEAP)


def test_what_would_have_been_seen_is_seen() -> None:
    same = taken()
    (seen_ms,) = {each.seen_ms for each in alike.compare(same) if each.kind == "duress PIN"}
    assert 0.1 < seen_ms < 4.0
    right = same[alike.RIGHT]
    later = {alike.RIGHT: right, "duress PIN": right + 1.5 * seen_ms}
    sooner = {alike.RIGHT: right, "duress PIN": right + 0.3 * seen_ms}
    assert [alike.compare(each)[0].told_apart for each in (later, sooner)] == [True, False]


def test_the_share_is_that_of_all_pairs() -> None:
    rng = np.random.default_rng(7)
    one, other = rng.integers(0, 9, 30).astype(float), rng.integers(2, 11, 40).astype(float)
    pairs = [(a > b) + (a == b) / 2 for a in one for b in other]
    assert alike.slower_share(one, other) == pytest.approx(sum(pairs) / len(pairs))
