"""Signed documents: only the manager's, only for this door, only newer ones, only as a whole, and only once kept."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey

from device import document, wire
from device.edges import Room
from device.errors import StoreFault
from device.lock.identity import DocumentKey
from device.lock.policy import Policy, VersionFile
from device.wire import OfferKept, Result
from tests.unit.lock.house import DOCUMENT_KEY, DOOR, MANAGER, offer, sealed, signed

KEY = bytes(MANAGER.verify_key)


@pytest.fixture
def versions(tmp_path: Path) -> VersionFile:
    return VersionFile(tmp_path / "lock" / "policy-version")


@pytest.fixture
def policy(versions: VersionFile) -> Policy:
    return Policy(DOOR, KEY, DOCUMENT_KEY, versions)


def closed(content: bytes, door: bytes = DOOR, key: DocumentKey = DOCUMENT_KEY) -> bytes:
    """`content` in an envelope."""
    return document.seal(content, door_id=door, document_key=key.public)


ELSEWHERE = DocumentKey.of(bytes(32))


def kept(slot: int = 12, serial: int = 1, result: Result = Result.DONE) -> OfferKept:
    return OfferKept(slot, serial, result)


def apply(policy: Policy, version: int) -> tuple[Room, wire.Ack] | None:
    assert policy.received(sealed(version), Room.DESK)[0] is Result.DONE
    return policy.kept(kept())


def test_a_document_is_acknowledged_once_keeper_holds_all_of_it(policy: Policy) -> None:
    offers = (offer(3), offer(12), offer(40, serial=9))
    assert policy.received(sealed(7, *offers), Room.DESK) == (Result.DONE, offers)
    assert policy.kept(kept(12)) is None
    assert policy.kept(kept(40, 9)) is None
    assert policy.version == 0, "nothing is applied yet"
    assert policy.kept(kept(3)) == (Room.DESK, wire.Ack(7, Result.DONE))
    assert policy.version == 7


def test_the_version_is_on_disk_before_it_is_acknowledged(policy: Policy, versions: VersionFile) -> None:
    apply(policy, 7)
    assert VersionFile(versions.path).load() == 7
    assert versions.path.read_bytes() == b"\x07\0\0\0"
    assert not list(versions.path.parent.glob("*.new"))


def test_an_offer_that_keeper_already_has_counts_as_kept(policy: Policy) -> None:
    policy.received(sealed(7), Room.DESK)
    assert policy.kept(kept(result=Result.STALE)) == (Room.DESK, wire.Ack(7, Result.DONE))


@pytest.mark.parametrize("version", [1, 6, 7])
def test_a_replayed_or_older_document_is_stale_and_changes_nothing(policy: Policy, version: int) -> None:
    apply(policy, 7)
    assert policy.received(sealed(version), Room.DESK) == (Result.STALE, ())
    assert policy.applying is None
    assert policy.version == 7


def test_a_newer_document_is_taken_even_if_versions_were_left_out(policy: Policy) -> None:
    apply(policy, 7)
    assert apply(policy, 4_000_000_000) == (Room.DESK, wire.Ack(4_000_000_000, Result.DONE))


@pytest.mark.parametrize(
    ("content", "result"),
    [
        (closed(signed(key=SigningKey(bytes(32)))), Result.UNSIGNED),
        (closed(signed()[:-1] + bytes((signed()[-1] ^ 1,))), Result.UNSIGNED),
        (closed(signed()[:30] + b"\xff" + signed()[31:]), Result.UNSIGNED),
        (closed(signed()[:-64] + bytes(64)), Result.UNSIGNED),
        (closed(signed(), key=ELSEWHERE), Result.UNSIGNED),
        (closed(signed(door=bytes(8))), Result.WRONG_DOOR),
        (closed(signed(), door=bytes(8)), Result.WRONG_DOOR),
        (closed(signed(door=bytes(8)), door=bytes(8)), Result.WRONG_DOOR),
        (signed(), Result.MALFORMED),
        (signed().ljust(wire.MAX_DOCUMENT, b"\0"), Result.MALFORMED),
        (b"", Result.MALFORMED),
        (b"DWDC", Result.MALFORMED),
        (b"DWDS", Result.MALFORMED),
        (sealed()[:61], Result.MALFORMED),
        (sealed()[:62], Result.UNSIGNED),
        (sealed() + bytes(1), Result.UNSIGNED),
        (sealed()[:4] + b"\2" + sealed()[5:], Result.MALFORMED),
        (closed(b"no document at all"), Result.MALFORMED),
        (closed(sealed()), Result.MALFORMED),
        (bytes(200), Result.MALFORMED),
        (b"x" * wire.MAX_DOCUMENT, Result.MALFORMED),
    ],
    ids=[
        "foreign key",
        "last bit",
        "changed offer",
        "signed by nobody",
        "sealed to another key",
        "another door",
        "another door on the envelope",
        "another door in both",
        "not sealed",
        "not sealed and long",
        "empty",
        "head of a document",
        "head of an envelope",
        "nothing in the box",
        "one byte in the box",
        "trailing byte",
        "another version",
        "words",
        "sealed twice",
        "zeros",
        "long",
    ],
)
def test_what_is_not_the_managers_word_to_this_door_is_refused(policy: Policy, content: bytes, result: Result) -> None:
    assert policy.received(content, Room.DESK) == (result, ())
    assert policy.applying is None
    assert apply(policy, 1) == (Room.DESK, wire.Ack(1, Result.DONE)), "and nothing was lost by it"


def test_a_flipped_byte_at_any_place_of_an_envelope_is_refused_and_nothing_is_lost(policy: Policy) -> None:
    whole = sealed(7)
    for at in range(len(whole)):
        flipped = whole[:at] + bytes((whole[at] ^ 1 << at % 8,)) + whole[at + 1 :]
        result, offers = policy.received(flipped, Room.DESK)
        assert (result in {Result.MALFORMED, Result.WRONG_DOOR, Result.UNSIGNED}, offers) == (True, ()), at
    assert policy.received(whole, Room.DESK) == (Result.DONE, (offer(),))


def test_a_door_that_took_what_is_not_sealed_would_be_caught(policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault behind the tests above: what does not look like an envelope is taken as it is."""

    def lenient(content: bytes, _door: bytes) -> bytes:
        return content

    monkeypatch.setattr("device.lock.policy.sealed_box", lenient)
    monkeypatch.setattr(DocumentKey, "open", lambda _self, box: box)
    with pytest.raises(AssertionError):
        test_what_is_not_the_managers_word_to_this_door_is_refused(policy, signed(), Result.MALFORMED)


def test_an_envelope_convinces_nobody_who_sealed_it_without_the_managers_key(policy: Policy) -> None:
    """Everybody can have the door's public key; what they seal is refused like any other forgery."""
    for key in (SigningKey(bytes(32)), SigningKey.generate()):
        assert policy.received(closed(signed(key=key)), Room.REPORT) == (Result.UNSIGNED, ())


def test_an_older_document_is_stale_after_a_restart_too(policy: Policy, versions: VersionFile) -> None:
    older, newer = sealed(6), sealed(7)
    assert policy.received(newer, Room.DESK)[0] is Result.DONE
    policy.kept(kept())
    for _ in range(3):
        policy = Policy(DOOR, KEY, DOCUMENT_KEY, versions)
        for content in (older, newer, sealed(1), sealed(7)):
            assert policy.received(content, Room.REPORT) == (Result.STALE, ())
        assert policy.version == 7


def test_a_door_that_forgot_its_version_would_be_caught(
    policy: Policy, versions: VersionFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded fault behind the test above: the version is kept in memory alone."""
    monkeypatch.setattr(VersionFile, "store", lambda _self, _version: None)
    with pytest.raises(AssertionError):
        test_an_older_document_is_stale_after_a_restart_too(policy, versions)


def test_a_door_without_a_manager_takes_no_document(versions: VersionFile) -> None:
    assert Policy(DOOR, b"", DOCUMENT_KEY, versions).received(sealed(), Room.DESK) == (Result.UNSIGNED, ())


def test_one_document_at_a_time(policy: Policy) -> None:
    policy.received(sealed(7), Room.DESK)
    assert policy.received(sealed(8), Room.REPORT) == (Result.BUSY, ())
    assert policy.kept(kept()) == (Room.DESK, wire.Ack(7, Result.DONE))


def test_an_abandoned_document_is_not_applied_and_may_come_again(policy: Policy) -> None:
    policy.received(sealed(7), Room.DESK)
    assert policy.abandon() == (Room.DESK, wire.Ack(0, Result.FAULT))
    assert policy.abandon() is None
    assert policy.kept(kept()) is None, "a late word of keeper ends nothing"
    assert policy.version == 0
    assert apply(policy, 7) == (Room.DESK, wire.Ack(7, Result.DONE))


@pytest.mark.parametrize("result", sorted(set(Result) - {Result.DONE, Result.STALE}))
def test_an_offer_that_keeper_could_not_keep_ends_the_document(policy: Policy, result: Result) -> None:
    policy.received(sealed(7, offer(3), offer(12)), Room.DESK)
    assert policy.kept(kept(3, result=result)) == (Room.DESK, wire.Ack(0, Result.FAULT))
    assert policy.kept(kept(12)) is None
    assert policy.version == 0


def test_a_word_about_another_offer_is_not_taken_for_the_missing_one(policy: Policy) -> None:
    policy.received(sealed(7, offer(3)), Room.DESK)
    assert policy.kept(kept(3, serial=2)) is None
    assert policy.kept(kept(4)) is None
    assert policy.version == 0


def test_an_asker_that_is_gone_gets_no_answer_but_the_document_goes_on(policy: Policy) -> None:
    policy.received(sealed(7), Room.DESK)
    policy.asker_gone(Room.REPORT)
    policy.asker_gone(Room.DESK)
    assert policy.kept(kept()) is None
    assert policy.version == 7
    policy.received(sealed(8), Room.DESK)
    policy.asker_gone(Room.DESK)
    assert policy.abandon() is None
    assert policy.applying is None


# ---- the disk


def test_a_disk_that_does_not_take_the_version_leaves_the_document_unapplied(
    policy: Policy, versions: VersionFile
) -> None:
    apply(policy, 7)
    blocked = versions.path.with_suffix(".new")
    blocked.mkdir()
    policy.received(sealed(8), Room.DESK)
    assert policy.kept(kept()) == (Room.DESK, wire.Ack(7, Result.FAULT))
    blocked.rmdir()
    assert policy.version == 7
    assert apply(policy, 8) == (Room.DESK, wire.Ack(8, Result.DONE))


TORN = [b"", b"\x07", b"\x07\0\0", b"\x07\0\0\0\0", b"\0\0\0\0"]


@pytest.mark.parametrize("data", TORN, ids=["empty", "one byte", "three", "five", "zeros"])
def test_a_torn_version_is_a_fault_and_lets_no_old_document_in(
    policy: Policy, versions: VersionFile, data: bytes
) -> None:
    apply(policy, 7)
    versions.path.write_bytes(data)
    with pytest.raises(StoreFault, match="damaged"):
        versions.load()
    for version in (1, 7, 8):
        assert policy.received(sealed(version), Room.DESK) == (Result.FAULT, ())
    assert policy.version == 0, "told to people as: unknown"
    assert policy.applying is None
    assert versions.path.read_bytes() == data, "and nothing is repaired by guessing"


def test_a_version_that_is_damaged_while_a_document_is_applied_does_not_stop_lock(
    policy: Policy, versions: VersionFile
) -> None:
    apply(policy, 7)
    policy.received(sealed(8), Room.DESK)
    versions.path.write_bytes(b"?")
    assert policy.abandon() == (Room.DESK, wire.Ack(0, Result.FAULT))


def test_a_version_that_cannot_be_read_is_a_fault_and_not_a_new_door(policy: Policy, versions: VersionFile) -> None:
    versions.path.mkdir(parents=True)
    with pytest.raises(StoreFault, match="cannot be read"):
        versions.load()
    assert policy.received(sealed(1), Room.DESK) == (Result.FAULT, ())
    assert policy.version == 0


def test_a_new_door_has_version_0_and_no_file(versions: VersionFile) -> None:
    assert versions.load() == 0
    assert not versions.path.exists()


def test_a_folder_that_cannot_be_made_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("a file", encoding="ascii")
    with pytest.raises(StoreFault, match="cannot be stored"):
        VersionFile(tmp_path / "lock" / "policy-version").store(1)


@given(st.lists(st.tuples(st.integers(1, 9), st.sampled_from(["kept", "lost", "late", "reboot"])), max_size=12))
@settings(max_examples=60, deadline=None)
def test_the_applied_version_only_ever_grows(story: list[tuple[int, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        versions = VersionFile(Path(folder) / "policy-version")
        policy, newest = Policy(DOOR, KEY, DOCUMENT_KEY, versions), 0
        for version, what in story:
            result, _ = policy.received(sealed(version), Room.DESK)
            assert (result is Result.DONE) is (version > newest)
            if result is not Result.DONE:
                continue
            match what:
                case "kept":
                    assert policy.kept(kept()) == (Room.DESK, wire.Ack(version, Result.DONE))
                    newest = version
                case "lost":
                    policy.kept(kept(result=Result.FAULT))
                case "late":
                    policy.abandon()
                    policy.kept(kept())
                case "reboot":
                    policy = Policy(DOOR, KEY, DOCUMENT_KEY, versions)
            assert policy.version == newest
