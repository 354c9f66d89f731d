"""Thousands of faces at boot: each answer of keeper costs the same, however many there are."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from device.sealing.keys import FileKeyStore
from device.sealing.ring import Ring
from device.sealing.store import SealedStore
from device.vault import record
from device.vault.credentials import Place
from device.vault.expiry import Expiry
from device.vault.faces import Faces
from device.vault.record import Averaged, FaceRecord
from tests.unit.sealing.simulated_disk import SimulatedDisk
from tests.unit.vault.values import BINDING, FOLDER, GRACE_NS, ROOT_KEY, TERMS, TODAY, new_face, tenancy_of, unit

_note = Faces._note


def crowd(people: int) -> Faces:
    """So many faces on a disk, all at once, and nobody awake yet."""
    disk = SimulatedDisk()
    store = SealedStore.open(FOLDER, FileKeyStore(FOLDER / "epoch.key", ROOT_KEY, disk), BINDING, disk)
    face = new_face(unit(1))
    faces = Faces(store, TERMS.hash, Expiry(GRACE_NS))
    turned = record.to_bytes(faces._rotation.apply(unit(1)))
    tag, ends = faces._rotation.tag, 10**9
    added = [
        (
            store._fresh(slot, TERMS.hash),
            record.pack(FaceRecord(turned, tag, 5, face.consent, tenancy_of(slot), TODAY, ends)),
        )
        for slot in range(1, people + 1)
    ]
    store._change(Ring(1, store.secret, tuple(entry for entry, _ in added)), added)
    return Faces(store, TERMS.hash, Expiry(GRACE_NS))


def steps_of(work: Callable[[], object]) -> int:
    """How many lines of Python are run by `work`; each turn of a loop is one, in a line of its own or not."""
    count = 0

    def counted(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return counted

    before = sys.gettrace()
    sys.settrace(counted)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def steps_of_keeper_s_answers(people: int) -> int:
    faces = crowd(people)

    def answers() -> None:
        for slot in range(1, people + 1):
            faces.credential(slot, Place(tenancy_of(slot)))
            assert len(faces.awake) == slot
            assert faces.awake.kinds == (Averaged(5, 5),)

    steps = steps_of(answers)
    assert len(faces.gallery()) == people
    return steps


def test_keeper_s_answers_for_two_thousand_faces_cost_no_more_each_than_for_two_hundred() -> None:
    few, many = steps_of_keeper_s_answers(200), steps_of_keeper_s_answers(2000)
    assert many <= 10 * few + 100


def test_an_answer_that_looks_at_everybody_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def looks_a_consent_up(self: Faces, slot: int, *, anew: bool = False) -> None:
        next((entry for entry in self._store._ring.entries if entry.slot == slot), None)
        _note(self, slot, anew=anew)

    monkeypatch.setattr(Faces, "_note", looks_a_consent_up)
    few, many = steps_of_keeper_s_answers(50), steps_of_keeper_s_answers(500)
    assert many > 10 * few + 100
