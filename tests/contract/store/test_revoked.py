"""What is believed no more: places, certificates of doors and of managers, on both databases."""

from __future__ import annotations

import pytest

from provisioning.errors import FleetFault, FleetRefused
from provisioning.store import DoorState, LabelState, Login, Revoked, Slot
from provisioning.store_sql import SqlStore
from tests.contract.store.conftest import Place
from tests.contract.store.test_doors import anything, certificate, reserve

OFFICE = Login("office", "0a", 1_800_000_000, 1_830_000_000)
NIGHT = Login("night", "0b", 1_800_000_000, 1_830_000_000)


def test_a_place_that_ends_takes_the_next_serial_and_version_and_can_be_offered_again(store: SqlStore) -> None:
    reserve(store, "Front", 7, 1_900_000_000)
    ended = store.reserve_withdrawal("Front", 7, 1_850_000_000, anything)
    assert (ended.version, ended.serial) == (2, 2)
    assert store.door("Front").slots == (Slot(7, 2, 0, 1_850_000_000),)
    assert reserve(store, "Front", 7, 1_900_000_000).serial == 3
    assert store.door("Front").slots == (Slot(7, 3, 1_900_000_000, 0),)


def test_every_certificate_of_a_door_ends_at_once_and_no_other_door_s(place: Place, store: SqlStore) -> None:
    for serial in ("01", "02"):
        store.add_certificate("Front", certificate(serial), anything)
    store.add_label("Front", "ef" * 32, (1, 2), anything)
    assert [each.serial for each in store.revoke_door("Front", 9)] == ["01", "02"]
    again = place.opened()
    assert again.revoked() == (Revoked("01", 9, 1_830_000_000), Revoked("02", 9, 1_830_000_000))
    assert again.labels("Front")[0].state is LabelState.REVOKED
    door = again.door("Front")
    assert (door.certificate_serial, door.not_after_unix, door.state) == (None, None, DoorState.ADDED)
    with pytest.raises(FleetRefused, match="neither a certificate nor a label"):
        again.revoke_door("Front", 10)
    assert again.revoked()[0].revoked_unix == 9


def test_what_cannot_be_revoked_is_not_noted(store: SqlStore) -> None:
    before = store.acts(100)
    for refusing in (lambda: store.revoke_door("Front", 9), lambda: store.revoke_logins("office", 9)):
        with pytest.raises(FleetRefused, match="could be revoked"):
            refusing()
    assert store.acts(100) == before


def test_managers_certificates_are_kept_and_revoked_by_name(place: Place, store: SqlStore) -> None:
    for login in (OFFICE, NIGHT):
        store.add_login(login)
    with pytest.raises(FleetRefused, match="already"):
        store.add_login(OFFICE)
    assert place.opened().logins() == (NIGHT, OFFICE)
    assert [each.serial for each in store.revoke_logins("office", 9)] == ["0a"]
    assert place.opened().revoked() == (Revoked("0a", 9, 1_830_000_000),)
    assert [each.command for each in store.acts(3)] == ["ca manager", "ca manager", "manager revoke"]


@pytest.mark.parametrize("damage", ["serial = 'zz'", "serial = '-1'", "not_after_unix = -1", "revoked_unix = -1"])
def test_a_damaged_row_is_said_and_not_read(place: Place, store: SqlStore, damage: str) -> None:
    store.add_login(OFFICE)
    place.raw(f"UPDATE managers SET {damage}")  # noqa: S608 - the words of this test
    with pytest.raises(FleetFault, match="is damaged"):
        store.logins()
