"""A covered face of another way to cut it is compared with nobody, on no side, and its resident may enrol anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from device import wire
from device.vault import held, record
from device.vault.rotation import Rotation
from device.vault.turning import Turning
from device.wire import HeldFace, Outcome, Result
from tests.unit.vault.house import House, another_house
from tests.unit.vault.values import COVERED_MODEL, MODEL, unit

ANNA, BO = unit(1), unit(2)
KNOWN, NOBODY = (Outcome.WITH_PIN, 12), (Outcome.REFUSED, wire.NOBODY)


@contextmanager
def home() -> Iterator[House]:
    """Anna enrolled bare under 11, Bo covered under 12."""
    with another_house() as house:
        assert house.enrol(11, ANNA) is Result.DONE
        assert house.enrol(12, BO, covered=True) is Result.DONE
        yield house


def covered(house: House, **changes: object) -> tuple[Outcome, int]:
    house.wait(30)
    verdict = house.probe(BO, covered=True, **changes)
    return verdict.outcome, verdict.slot


def again(house: House) -> House:
    """Vault ends and starts anew."""
    house.restart()
    house.connect()
    return house


def as_before(house: House) -> None:
    """Bo's record as a door wrote it that cut covered faces like bare ones: with the tag of the rotation alone."""
    store = house.vault.faces._store
    old = replace(record.parse(store.records()[12]), rotation=house.vault.faces._rotation.tag)
    store.put(12, record.pack(old), store.consent(12))


def of_the_next_way(house: House) -> None:
    """The door cuts covered faces in yet another way from its next start on."""
    house.covered = b"n" * 32


# ---- probes


def test_an_embedding_counts_for_its_own_kind_alone() -> None:
    with home() as house:
        assert covered(house) == KNOWN
        assert covered(house, model=MODEL[:8]) == NOBODY
        verdict = house.probe(ANNA, model=COVERED_MODEL[:8])
        assert (verdict.outcome, verdict.slot) == NOBODY
        house.wait(30)
        assert house.recognised(ANNA) == 11


def test_a_vault_that_takes_a_covered_probe_of_the_other_alignment_is_seen() -> None:
    with home() as house:
        house.vault.recogniser.covered_id = house.vault.recogniser.model_id
        assert covered(house, model=MODEL[:8]) == KNOWN


def test_frames_of_the_other_alignment_enrol_nobody() -> None:
    with another_house() as house:
        house.vault.recogniser.covered_id = b"another!"
        assert house.enrol(12, BO, covered=True) is Result.REFUSED
        assert house.enrol(11, ANNA) is Result.DONE


# ---- records


@pytest.mark.parametrize("change", [as_before, of_the_next_way])
def test_who_enrolled_covered_before_sleeps_loses_nothing_and_enrols_anew(change: Callable[[House], None]) -> None:
    with home() as house:
        change(house)
        again(house)
        (refusal,) = house.vault.faces.refused
        assert "enrolled covered before" in str(refusal)
        assert "enrol anew" in str(refusal)
        assert covered(house, model=house.covered[:8]) == NOBODY
        assert held.told(bytes(16), 12, house.vault.faces).face is HeldFace.UNREADABLE
        assert house.recognised(ANNA) == 11, "a bare face goes on as it was"
        assert house.rekey() is Result.DONE
        assert len(again(house).vault.faces.refused) == 1, "a rekey makes nothing comparable that was not"
        assert house.recognised(ANNA) == 11


def test_who_sleeps_for_it_may_enrol_anew_in_its_place() -> None:
    with home() as house:
        as_before(house)
        again(house)
        assert house.enrol(12, BO, covered=True) is Result.DONE
        assert covered(again(house)) == KNOWN
        assert house.vault.faces.refused == ()


def test_a_vault_that_compares_an_old_covered_face_all_the_same_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    with home() as house:
        as_before(house)
        monkeypatch.setattr(Rotation, "tag_of", lambda self, _meaning: self.tag)
        assert covered(again(house)) == KNOWN


# ---- a rekey


def test_a_rekey_turns_each_kind_and_keeps_what_it_means() -> None:
    with home() as house:
        assert house.rekey() is Result.DONE
        rotation, store = house.vault.faces._rotation, house.vault.faces._store
        tags = {slot: record.parse(payload).rotation for slot, payload in store.records().items()}
        assert tags == {11: rotation.tag, 12: rotation.tag_of(COVERED_MODEL)}
        assert covered(again(house)) == KNOWN


def test_a_turning_that_forgets_what_covered_means_leaves_the_face_behind_and_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with home() as house:
        monkeypatch.setattr("device.vault.faces.Turning", lambda _covered: Turning())
        assert house.rekey() is Result.DONE
        assert len(house.vault.faces.refused) == 1
