"""Labels and certificates: a label is good once, whoever comes at the same moment."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from provisioning.errors import FleetRefused
from provisioning.store import Door, DoorState, LabelState
from provisioning.store_sql import SqlStore
from tests.contract.store.conftest import FRONT, KEY, Place
from tests.contract.store.test_doors import anything, certificate

SECRETS = [bytes([number]) * 16 for number in range(4)]
HASHES = [hashlib.sha256(secret).digest() for secret in SECRETS]
MADE, EXPIRES = 1_800_000_000, 1_800_600_000


def labelled(store: SqlStore, number: int = 0, door: str = "Front") -> None:
    store.add_label(door, HASHES[number].hex(), (MADE, EXPIRES), anything)


def states(store: SqlStore) -> list[LabelState]:
    return [label.state for label in store.labels("Front")]


def test_a_label_brings_a_door_into_the_fleet_once(place: Place, store: SqlStore) -> None:
    labelled(store)
    assert store.claim(FRONT, HASHES[0], MADE).state is DoorState.CLAIMED
    assert place.opened().door("Front").state is DoorState.CLAIMED
    with pytest.raises(FleetRefused, match="used already"):
        store.claim(FRONT, HASHES[0], MADE)
    assert states(store) == [LabelState.USED]


def test_a_door_that_is_claimed_anew_has_no_key_until_it_joins(store: SqlStore) -> None:
    """Nothing more is sealed to the board before, and whoever was cut off here can go on."""
    store.identify("Front", KEY, anything)
    labelled(store)
    assert not store.claim(FRONT, HASHES[0], MADE).document_key
    assert store.join("Front", KEY, certificate("a1"), MADE, anything).document_key == KEY


def test_a_second_label_revokes_the_one_that_is_open(store: SqlStore) -> None:
    labelled(store, 0)
    labelled(store, 1)
    assert states(store) == [LabelState.REVOKED, LabelState.OPEN]
    with pytest.raises(FleetRefused, match="revoked"):
        store.claim(FRONT, HASHES[0], MADE)
    store.claim(FRONT, HASHES[1], MADE)
    labelled(store, 2)
    assert states(store) == [LabelState.REVOKED, LabelState.USED, LabelState.OPEN], "a used one stays used"


def test_the_database_itself_allows_one_open_label(place: Place, store: SqlStore) -> None:
    labelled(store)
    with pytest.raises(Exception, match=r"(?i)unique"):
        place.raw("INSERT INTO labels VALUES (77, '0000000000000000', 'x', 1, 2, 'open')")


def test_a_label_that_was_lost_can_be_revoked(store: SqlStore) -> None:
    labelled(store)
    assert store.revoke_label("Front").state is LabelState.REVOKED
    with pytest.raises(FleetRefused, match="revoked"):
        store.claim(FRONT, HASHES[0], MADE)
    with pytest.raises(FleetRefused, match="no label"):
        store.revoke_label("Front")


def test_a_label_ends_at_its_second(store: SqlStore) -> None:
    labelled(store)
    with pytest.raises(FleetRefused, match="expired"):
        store.claim(FRONT, HASHES[0], EXPIRES)
    assert states(store) == [LabelState.OPEN]
    store.claim(FRONT, HASHES[0], EXPIRES - 1)


def test_who_has_no_secret_learns_nothing(store: SqlStore) -> None:
    """Another secret, another door, no door, half a hash: one sentence for all."""
    store.add_door(Door("Back", "11" * 8))
    labelled(store)
    store.revoke_label("Front")
    sentences = set()
    for door_id, brought in ((FRONT, HASHES[1]), ("11" * 8, HASHES[0]), ("22" * 8, HASHES[0]), (FRONT, b"")):
        with pytest.raises(FleetRefused) as refused:
            store.claim(door_id, brought, MADE)
        sentences.add(str(refused.value))
    assert sentences == {"this is no label of this door in this fleet"}


def test_a_refused_claim_changes_and_notes_nothing(store: SqlStore) -> None:
    labelled(store)
    before = store.doors(), store.labels("Front"), store.acts(100)
    for brought, now in ((HASHES[1], MADE), (HASHES[0], EXPIRES)):
        with pytest.raises(FleetRefused):
            store.claim(FRONT, brought, now)
    assert (store.doors(), store.labels("Front"), store.acts(100)) == before


def test_a_labels_secret_is_nowhere(place: Place, store: SqlStore) -> None:
    labelled(store, 1)
    store.claim(FRONT, HASHES[1], MADE)
    every = ("SELECT * FROM labels", "SELECT * FROM doors", "SELECT * FROM acts", "SELECT * FROM certificates")
    kept = str([place.raw(statement) for statement in every])
    assert SECRETS[1].hex() not in kept
    assert HASHES[1].hex() in kept, "the search finds what is there"


def test_a_door_joins_after_its_claim_and_once(store: SqlStore) -> None:
    with pytest.raises(FleetRefused, match="used no label"):
        store.join("Front", KEY, certificate("0a"), MADE, anything)
    labelled(store)
    store.claim(FRONT, HASHES[0], MADE)
    door = store.join("Front", KEY, certificate("0a"), MADE + 5, anything)
    assert (door.state, door.joined_unix, door.document_key) == (DoorState.JOINED, MADE + 5, KEY)
    assert (door.certificate_serial, door.not_after_unix) == ("0a", certificate("0a").not_after_unix)
    assert store.door("Front") == door
    with pytest.raises(FleetRefused, match="used no label"):
        store.join("Front", "00" * 32, certificate("0b"), MADE, anything)
    assert store.door("Front") == door


def test_a_further_certificate_is_the_newest_and_a_serial_is_taken_once(store: SqlStore) -> None:
    store.add_certificate("Front", certificate("0a"), anything)
    later = replace(certificate("0b"), not_before_unix=MADE + 9, not_after_unix=MADE + 99)
    assert store.add_certificate("Front", later, anything).certificate_serial == "0b"
    with pytest.raises(FleetRefused, match="already"):
        store.add_certificate("Front", certificate("0a"), anything)
    with pytest.raises(FleetRefused, match="has the id"):
        store.add_certificate("Front", certificate("0c", "11" * 8), anything)
    assert store.certificates("Front") == (certificate("0a"), later)


def test_a_revoked_certificate_is_not_the_doors_any_more(store: SqlStore) -> None:
    store.add_certificate("Front", certificate("0a"), anything)
    store.add_certificate("Front", certificate("0b"), anything)
    assert store.revoke_certificate("0a", MADE).revoked_unix == MADE
    assert store.door("Front").certificate_serial == "0b"
    store.revoke_certificate("0b", MADE)
    assert (store.door("Front").certificate_serial, store.door("Front").not_after_unix) == (None, None)
    for serial, why in (("0a", "revoked already"), ("0c", "no certificate")):
        with pytest.raises(FleetRefused, match=why):
            store.revoke_certificate(serial, MADE + 1)
    assert [each.revoked_unix for each in store.certificates("Front")] == [MADE, MADE]


def test_certificate_made_by_hand_is_revoked_with_its_door_and_not_what_it_goes_by(store: SqlStore) -> None:
    assert store.note_certificate("Front", certificate("0d"), anything).certificate_serial is None
    store.add_certificate("Front", certificate("0a"), anything)
    by_hand = store.note_certificate("Front", certificate("0e"), anything)
    assert by_hand.certificate_serial == "0a"
    for taken in ("0a", "0d"):
        with pytest.raises(FleetRefused, match="already"):
            store.note_certificate("Front", certificate(taken), anything)
    assert {each.serial for each in store.revoke_door("Front", 7)} == {"0a", "0d", "0e"}
    assert {each.serial for each in store.revoked()} == {"0a", "0d", "0e"}
