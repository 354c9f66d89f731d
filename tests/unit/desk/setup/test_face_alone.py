"""A face alone at set-up: refused with what to do first, until attacks were tried on this very door; and its sign."""

from __future__ import annotations

from dataclasses import replace

import pytest

from device import config, tried
from device.desk.setup import alone, interview, sign
from device.desk.setup.draft import Draft
from device.desk.setup.machine import Machine
from device.errors import ConfigRefused
from device.tried import Count, Facts, Instrument, Tryout
from tests.unit.desk.setup.people import PI, SIMULATED, Person

LIT = (
    Draft(label_due=False)
    .put("sign", contact="Office")
    .put("camera", pinned="libcamera|imx708|/base/soc/i2c0mux|-")
    .put(
        "lock",
        left_light_weak_pin="GPIO13",
        left_light_strong_pin="GPIO19",
        right_light_weak_pin="GPIO20",
        right_light_strong_pin="GPIO21",
    )
)


def of(draft: Draft, passed: int = 0) -> Tryout:
    """A try-out at the door of `draft` in which so many prints passed for a live face."""
    facts = config.tried_facts(draft.config)
    assert isinstance(facts, Facts)
    counts = {
        Instrument.LIVE: Count(14, 0, 1),
        Instrument.PRINT: Count(passed, 30 - passed, 0),
        Instrument.SCREEN: Count(0, 31, 0),
    }
    return Tryout("2026-11-23", simulated=False, facts=facts, counts=counts)


TRIED = replace(PI, tried=of(LIT))


def refusal(draft: Draft, machine: Machine) -> str:
    with pytest.raises(ConfigRefused) as refused:
        alone.take(draft, machine, "face")
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_it_is_to_be_had_where_it_was_tried() -> None:
    chosen = alone.take(LIT, TRIED, "face")
    assert chosen.config.lock.tier == "face"
    interview.refuse_unfit(chosen, TRIED)


def test_otherwise_the_refusal_says_what_to_do_first() -> None:
    assert "`doorctl try-attacks` leads through it" in refusal(LIT, PI)
    assert "taken for a live face in 1 of 30" in refusal(LIT, replace(PI, tried=of(LIT, passed=1)))
    assert "two white lights" in refusal(Draft(), PI)
    assert "needs a camera that is pinned" in refusal(LIT.put("camera", pinned=""), TRIED)


def test_another_camera_or_lights_elsewhere_want_another_try() -> None:
    assert "the camera or its size of picture changed" in refusal(LIT.put("camera", width_px=1280), TRIED)
    assert "where the lights are changed" in refusal(LIT.put("eye", light_offset_mm=60), TRIED)


def test_a_file_of_answers_gets_no_further_than_a_person() -> None:
    wish = LIT.put("lock", tier="face")
    with pytest.raises(ConfigRefused, match="not to be had yet"):
        interview.refuse_unfit(wish, PI)
    interview.refuse_unfit(wish, TRIED)


def test_a_person_who_wants_it_too_early_is_told_and_asked_again() -> None:
    moment = interview.Interview.begin(LIT, PI)
    while moment.question is None or moment.question.key != "lock.tier":
        assert moment.question is not None
        moment = moment.answered(moment.question.read(""))
    person = Person.who_types("face", "face+pin")
    held = interview.hold(moment, person)
    assert held.draft.config.lock.tier == "face+pin"
    assert "is not to be had yet" in person.heard


def test_a_simulated_door_needs_nothing() -> None:
    sim = Draft().put("lock", board="sim").put("camera", backend="replay", replay="scene.json")
    assert alone.take(sim, SIMULATED, "face").config.lock.tier == "face"


def test_a_set_up_that_does_not_look_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tried, "why_not", lambda _tryout, _now: "")
    with pytest.raises(pytest.fail.Exception):
        test_a_file_of_answers_gets_no_further_than_a_person()


# ---- the sign


def test_the_sign_of_a_door_without_lights_says_nothing_of_them() -> None:
    assert sign.text(Draft().put("sign", contact="Office").config, of(LIT)) == sign.text(
        Draft().put("sign", contact="Office").config
    )


def test_the_sign_tells_that_lights_blink_what_they_do_not_stop_and_what_was_tried_with_its_bounds() -> None:
    told = sign.text(LIT.config, of(LIT))
    for words in (
        "at most three times a second",
        "uses PIN or card",
        "a mask in the shape of a face, a twin",
        "on 2026-11-23: a print was taken for a live face in 0 of 30 tries (with 95 % confidence at most 12 in 100)",
        "a screen was taken for a live face in 0 of 31 tries (with 95 % confidence at most 12 in 100)",
        "a live face was not taken for one in 1 of 15 tries (with 95 % confidence at most 32 in 100)",
        "每秒最多变化三次",
        "打印照片被当作真人：30 次中 0 次，95 % 置信上限 12 %",
        "真人未被当作真人：15 次中 1 次，95 % 置信上限 32 %",
    ):
        assert words in told
    assert "simulated" not in told


def test_the_sign_hides_no_attack_that_passed() -> None:
    assert "a print was taken for a live face in 3 of 30 tries (with 95 % confidence at most 27 in 100)" in sign.text(
        LIT.config, of(LIT, passed=3)
    )


def test_the_sign_claims_nothing_of_what_was_tried_with_another_camera_or_never() -> None:
    for tryout in (None, of(LIT.put("camera", width_px=1280))):
        told = sign.text(LIT.config, tryout)
        assert "Nobody has held up attacks to this door as it is now" in told
        assert "2026-11-23" not in told


def test_what_a_simulated_door_tried_is_called_so_on_its_sign() -> None:
    told = sign.text(LIT.config, replace(of(LIT), simulated=True))
    assert "At this door, which is a simulated one, on 2026-11-23" in told
    assert "模拟门" in told
