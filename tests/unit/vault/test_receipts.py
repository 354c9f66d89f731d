"""The receipt of erasure: it names what is gone, is only given for what is gone, and holds nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from device import attestation, wire
from device.attestation import ConsentRecord, Receipt
from device.edges import Room
from device.strength import KeyPlace
from device.vault.acts import Acts
from device.wire import Result
from tests.unit.sealing.simulated_disk import Loss, SimulatedDisk
from tests.unit.vault.faulty_disk import FaultyDisk
from tests.unit.vault.house import House
from tests.unit.vault.values import BINDING, FOLDER, SIGNER, TODAY, nonce, unit

ANNA, BO = unit(1), unit(2)


def record_id(house: House, slot: int) -> bytes:
    """The id under which the ring in force names the record of `slot`."""
    found = house.vault.faces._store.record_id(slot)
    assert found is not None
    return found


def file_of(record: bytes) -> Path:
    return FOLDER / f"{record.hex()}.rec"


def on_disk(house: House, record: bytes) -> bytes | None:
    return house.disk.read(file_of(record))


def consent_id(house: House) -> bytes:
    """The id of the consent that was signed last."""
    paper = house.papers()[-1]
    assert isinstance(paper, ConsentRecord)
    return paper.consent_id


def named(house: House, record: bytes) -> bool:
    """What vault says to whoever asks about `record`."""
    house.say(Room.DESK, wire.AskRecord(record))
    return house.got(Room.DESK, wire.RecordAnswer)[-1].named


def receipts(house: House) -> list[Receipt]:
    return [paper for paper in house.papers() if isinstance(paper, Receipt)]


def test_an_erased_face_gives_a_receipt_that_names_what_the_ring_named_just_before_the_news(house: House) -> None:
    house.enrol(12, BO)
    house.enrol(11, ANNA)
    record, agreed = record_id(house, 11), consent_id(house)
    stored = on_disk(house, record)
    assert stored
    house.unix_s += 86_400
    assert house.act(wire.Erase, 11) is Result.DONE
    paper, done = house.sent[Room.DESK][-2:]
    assert isinstance(paper, wire.Attestation)
    assert isinstance(done, wire.Done)
    assert paper.grant == done.grant
    expected = Receipt(BINDING.door, record, stored[8:40], agreed, TODAY + 1, KeyPlace.FILE_HOST_KEY)
    assert receipts(house) == [expected]
    assert len(set(expected.mark)) > 8, "a mark that can be searched for"
    assert paper.content == attestation.sign(expected, SIGNER.key), "and not one byte more"


def test_the_door_names_the_record_before_and_not_after(house: House) -> None:
    house.enrol(11, ANNA)
    house.enrol(12, BO)
    record, other = record_id(house, 11), record_id(house, 12)
    assert (named(house, record), named(house, other)) == (True, True)
    house.act(wire.Erase, 11)
    assert (named(house, record), named(house, other)) == (False, True)
    assert on_disk(house, record) is None
    house.restart()
    house.connect()
    assert (named(house, record), named(house, other)) == (False, True)
    house.enrol(11, ANNA)
    assert named(house, record) is False, "a new face is a new record"


def test_an_id_that_nobody_was_given_is_no_record_s(house: House) -> None:
    house.enrol(11, ANNA)
    assert not any(named(house, guess) for guess in (bytes(16), *(nonce() for _ in range(100))))
    assert not named(house, (11).to_bytes(16, "little"))


def test_what_the_door_is_known_by_says_nothing_of_who_was_seen(house: House) -> None:
    house.enrol(11, ANNA)
    record = record_id(house, 11)
    for face in (ANNA, BO, ANNA):
        house.probe(face)
        named(house, record)
    answers = set(house.got(Room.DESK, wire.RecordAnswer))
    known = wire.RecordAnswer(True, KeyPlace.FILE_HOST_KEY, SIGNER.door_key, house.terms.hash[:16])
    assert answers == {known}


# ---- damaged records


def receipt_of_damaged(house: House, data: bytes | None) -> Receipt:
    """The receipt for a record whose file held `data` (None: was gone) at the last start."""
    house.enrol(11, ANNA)
    record = record_id(house, 11)
    if data is None:
        house.disk.unlink(file_of(record))
    else:
        house.disk.write(file_of(record), data)
    house.restart()
    house.connect()
    assert house.recognised(ANNA) is None
    assert named(house, record), "the ring still names it"
    assert house.act(wire.Erase, 11) is Result.DONE
    assert not named(house, record)
    (receipt,) = receipts(house)
    assert receipt.record_id == record
    return receipt


@pytest.mark.parametrize("data", [None, b"", b"DWRC\x02\x01\0\0" + bytes(31), b"XXXX" + bytes(900)])
def test_where_nothing_can_be_read_the_receipt_says_zeros(house: House, data: bytes | None) -> None:
    receipt = receipt_of_damaged(house, data)
    assert (receipt.mark, receipt.consent_id) == (bytes(32), bytes(16))


def test_the_mark_of_a_record_that_is_torn_at_its_end_is_what_lies_on_the_disk(house: House) -> None:
    house.enrol(11, ANNA)
    record = record_id(house, 11)
    stored = on_disk(house, record)
    assert stored
    house.disk.write(file_of(record), stored[:-1])
    house.restart()
    house.connect()
    assert house.act(wire.Erase, 11) is Result.DONE
    (receipt,) = receipts(house)
    assert (receipt.mark, receipt.consent_id) == (stored[8:40], bytes(16))


# ---- no receipt for what is still there


def test_there_is_no_receipt_for_nothing_or_for_a_disk_that_failed(house: House) -> None:
    assert house.act(wire.Erase, 11) is Result.NOTHING_TO_DO
    house.enrol(11, ANNA)
    record = record_id(house, 11)
    assert isinstance(house.disk, SimulatedDisk)
    house.disk.full = True
    assert house.act(wire.Erase, 11) is Result.FAULT
    assert receipts(house) == []
    assert named(house, record)
    house.disk.full = False
    assert house.act(wire.Erase, 11) is Result.DONE
    assert house.act(wire.Erase, 11) is Result.NOTHING_TO_DO
    assert [receipt.record_id for receipt in receipts(house)] == [record]


def erased_on_a_disk_that_fails(at: int) -> tuple[Result, bool, bool]:
    """(what desk was told, whether there is a receipt, whether the next boot finds the face) if step `at` fails."""
    disk = FaultyDisk()
    house = House(disk)
    house.connect()
    house.enrol(12, BO)
    house.enrol(11, ANNA)
    disk.fails_at = disk.steps + at
    result = house.act(wire.Erase, 11)
    disk.fails_at = None
    booted = House(disk.after_power_cut(Loss.ALL, 0))
    there = 11 in booted.vault.faces
    assert 12 in booted.vault.faces
    booted.close()
    house.close()
    return result, bool(receipts(house)), there


def steps_of_an_erasure() -> int:
    disk = FaultyDisk()
    house = House(disk)
    house.connect()
    house.enrol(12, BO)
    house.enrol(11, ANNA)
    before = disk.steps
    house.act(wire.Erase, 11)
    house.close()
    return disk.steps - before


def endings() -> set[tuple[Result, bool, bool]]:
    return {erased_on_a_disk_that_fails(at) for at in range(1, steps_of_an_erasure() + 1, 2)}


def test_a_receipt_is_given_exactly_for_done_and_then_no_power_cut_brings_the_face_back() -> None:
    # A fault after the commit point leaves no face either, and says no more than that it failed.
    found = endings()
    assert found <= {(Result.DONE, True, False), (Result.FAULT, False, True), (Result.FAULT, False, False)}
    assert {(Result.DONE, True, False), (Result.FAULT, False, True)} <= found


def test_a_receipt_that_is_given_too_early_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def early(self: Acts, slot: int, grant: bytes | None = None) -> Result:
        assert grant
        record = self.faces._store.record_id(slot)
        assert record
        receipt = Receipt(self.signer.door, record, bytes(32), bytes(16), 0, self.signer.key_place)
        self.rooms.send(Room.DESK, wire.Attestation(grant, attestation.sign(receipt, self.signer.key)))
        return Result.DONE if self.faces.erase(slot) else Result.NOTHING_TO_DO

    monkeypatch.setattr(Acts, "_erase", early)
    assert (Result.FAULT, True, True) in endings()
