"""Rekey: every key, every file and the turn itself are new, and nobody has to enrol again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from device import wire
from device.edges import Room
from device.sealing.ring import Ring
from device.vault.acts import REKEY_EVERY_NS
from device.vault.turning import Turning
from device.wire import Result
from tests.unit.sealing.simulated_disk import SimulatedDisk
from tests.unit.vault.house import House
from tests.unit.vault.values import CONSENT, FOLDER, SECOND, TERMS, at_cosine, unit

PEOPLE = {11: unit(1), 12: unit(2), 13: unit(3)}
PROBES = [*PEOPLE.values(), unit(50), *(at_cosine(unit(1), cosine, seed=7) for cosine in (-0.3, 0.45, 0.5, 0.55, 0.9))]
# What float32 rounding of the turn allows; tests/unit/vault/test_rotation.py measures it.
ROUNDING = 1e-5


def everybody(house: House) -> House:
    for slot, face in PEOPLE.items():
        assert house.enrol(slot, face) is Result.DONE
    return house


def scores(house: House) -> dict[int, list[float]]:
    """By slot: the score of each probe with the template that is awake there."""
    gallery = house.vault.faces.gallery()
    rows = [[float(score) for score in gallery.templates @ gallery.rotation.apply(probe)] for probe in PROBES]
    return {slot: [row[at] for row in rows] for at, slot in enumerate(gallery.slots)}


def known(house: House) -> list[int | None]:
    return [house.recognised(face) for face in PEOPLE.values()]


def ring(house: House) -> Ring:
    return house.vault.faces._store._ring


# ---- nobody notices


def test_everybody_is_recognised_with_the_same_scores_now_and_after_a_restart(house: House) -> None:
    before = scores(everybody(house))
    assert house.rekey() is Result.DONE
    for _ in range(2):
        after = scores(house)
        assert set(after) == set(PEOPLE)
        for slot in PEOPLE:
            assert after[slot] == pytest.approx(before[slot], abs=ROUNDING)
        assert known(house) == [11, 12, 13]
        house.restart()
        house.connect()


def test_lock_hears_nothing_of_it_and_nothing_is_signed(house: House) -> None:
    everybody(house)
    before = [len(sent) for sent in house.sent.values()]
    house.rekey()
    after = [len(sent) for sent in house.sent.values()]
    assert sum(after) == sum(before) + 1, "one Done"


def test_an_empty_house_is_rekeyed_too(house: House) -> None:
    old = ring(house)
    assert house.rekey() is Result.DONE
    assert ring(house).secret != old.secret
    assert house.enrol(11, PEOPLE[11]) is Result.DONE


# ---- everything is new


def kept_by_a_rekey(house: House) -> set[str]:
    """What of the old keys, files and templates is still there after it."""
    everybody(house)
    assert isinstance(house.disk, SimulatedDisk)
    old, names, faces = ring(house), house.disk.all_names(), dict(house.vault.faces._records)
    epoch_key = house.disk.read(FOLDER / "epoch.key")
    assert house.rekey() is Result.DONE
    new, kept = ring(house), set()
    if new.secret == old.secret:
        kept.add("secret")
    if {entry.key for entry in old.entries} & {entry.key for entry in new.entries}:
        kept.add("key")
    if {entry.file_id for entry in old.entries} & {entry.file_id for entry in new.entries}:
        kept.add("id")
    if {name for name in names & house.disk.all_names() if name.endswith(".rec")}:
        kept.add("file")
    if house.disk.read(FOLDER / "epoch.key") == epoch_key:
        kept.add("epoch key")
    if any(face.template == faces[slot].template for slot, face in house.vault.faces._records.items()):
        kept.add("template")
    if any(face.rotation == faces[slot].rotation for slot, face in house.vault.faces._records.items()):
        kept.add("rotation")
    for slot, face in house.vault.faces._records.items():
        assert replace(face, template=b"", rotation=b"") == replace(faces[slot], template=b"", rotation=b"")
    assert [(entry.slot, entry.consent) for entry in new.entries] == [(entry.slot, CONSENT) for entry in old.entries]
    return kept


def test_no_key_no_id_no_file_and_no_template_stays_and_everything_else_does(house: House) -> None:
    assert kept_by_a_rekey(house) == set()


def test_a_rekey_that_does_not_turn_anew_is_seen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Turning, "__call__", lambda _self, payload, _old, _new: payload)
    everybody(house)
    assert house.rekey() is Result.DONE
    assert known(house) == [None] * 3


def test_a_rekey_that_keeps_the_secret_is_seen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    rekeyed = Ring.rekeyed
    monkeypatch.setattr(Ring, "rekeyed", lambda self, _secret, fresh: rekeyed(self, self.secret, fresh))
    monkeypatch.setattr(Turning, "__call__", lambda _self, payload, _old, _new: payload)
    assert kept_by_a_rekey(house) == {"secret", "template", "rotation"}


def test_old_payloads_and_old_files_are_refused_afterwards(house: House) -> None:
    everybody(house)
    payload = house.vault.faces._store.records()[11]
    contents = {entry.slot: house.disk.read(FOLDER / entry.file_name) for entry in ring(house).entries}
    house.rekey()
    house.vault.faces._store.put(11, payload, CONSENT)  # somebody kept the plaintext, and even has the new keys
    copy = contents[12]
    entry = ring(house).find(12)
    assert copy
    assert entry
    house.disk.write(FOLDER / entry.file_name, copy)
    house.restart()
    house.connect()
    assert known(house) == [None, None, 13]
    assert len(house.vault.faces.refused) == 2


# ---- who sleeps, sleeps on


def test_who_is_paused_without_a_pin_or_under_other_terms_stays_so(house: House) -> None:
    everybody(house)
    house.act(wire.Pause, 11)
    house.lose_pin(12)
    assert house.rekey() is Result.DONE
    assert known(house) == [None, None, 13]
    house.restart_under(replace(TERMS, purpose="another purpose"))
    assert house.rekey() is Result.DONE
    assert known(house) == [None] * 3
    assert (house.renew(13), house.act(wire.Resume, 11), house.renew(11)) == (Result.DONE,) * 3
    assert known(house) == [11, None, 13]
    house.move_in(12)
    house.tell(12)
    assert house.renew(12) is Result.DONE
    assert known(house) == [11, 12, 13]


def test_a_damaged_record_stays_refused_keeps_its_id_and_stops_nobody(house: House) -> None:
    everybody(house)
    entry = ring(house).find(12)
    assert entry
    contents = house.disk.read(FOLDER / entry.file_name)
    assert contents
    house.disk.write(FOLDER / entry.file_name, contents[:-1])
    house.restart()
    house.connect()
    for _ in range(2):
        assert house.rekey() is Result.DONE
        assert known(house) == [11, None, 13]
        assert len(house.vault.faces.refused) == 1
        assert ring(house).find(12) == entry
        house.restart()
        house.connect()
    house.disk.write(FOLDER / entry.file_name, contents)  # healed: it opens, but was turned by a secret that is gone
    house.restart()
    house.connect()
    assert known(house) == [11, None, 13]
    assert house.act(wire.Erase, 12) is Result.DONE


# ---- how often


def test_once_a_minute_is_enough(house: House) -> None:
    everybody(house)
    assert house.rekey() is Result.DONE
    old = ring(house)
    house.wait(REKEY_EVERY_NS / SECOND - 0.001)
    assert house.rekey() is Result.BUSY
    assert ring(house) == old
    house.wait(0.001)
    assert house.rekey() is Result.DONE
    assert ring(house).secret != old.secret


# ---- in the middle of something else


def after_capture(house: House) -> None:
    grant = house.capture(PEOPLE[11])
    assert house.rekey() is Result.DONE
    house.confirm(11)
    assert house.result(grant) is Result.DONE


def between_the_frames(house: House) -> None:
    grant, window = house.begin(11), house.window()
    house.sample(at_cosine(PEOPLE[11], 0.95, seed=100), 0, window)
    assert house.rekey() is Result.DONE
    for index in (1, 2):
        house.sample(at_cosine(PEOPLE[11], 0.95, seed=100 + index), index, window)
    house.close_window()
    house.confirm(11)
    assert house.result(grant) is Result.DONE


@pytest.mark.parametrize("enrols", [after_capture, between_the_frames])
def test_a_face_whose_enrolment_a_rekey_ran_into_is_recognised(house: House, enrols: Callable[[House], None]) -> None:
    house.enrol(12, PEOPLE[12])
    enrols(house)
    for _ in range(2):
        assert (house.recognised(PEOPLE[11]), house.recognised(PEOPLE[12])) == (11, 12)
        house.restart()
        house.connect()


def test_a_rekey_in_a_window_takes_nothing_from_whoever_stands_there(house: House) -> None:
    everybody(house)
    name = house.window(wire.LookMode.RECOGNISE)
    house.rekey()
    embedding = PEOPLE[11].astype("<f4").tobytes()
    house.say(Room.EYE, wire.Probe(name, house.now_ns, 3, wire.Attack.NOT_TESTED, b"m" * 8, embedding))
    assert house.got(Room.LOCK, wire.Verdict)[-1].slot == 11
