"""One manager's key follows another: the old one is believed no more, whatever happens to the disk or the power."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from device import document
from device.document import Successor, Telling
from device.edges import Room
from device.errors import DocumentRefused, StoreFault
from device.lock import durable, managers
from device.lock.managers import MOST_LINKS, Chain, Managers
from device.lock.policy import Policy, VersionFile
from device.wire import NO_ALARM_KEY, Profile, Result
from tests.unit.lock.house import DOCUMENT_KEY, DOOR, MANAGER

KEYS = (MANAGER, *(SigningKey(bytes((number,)) * 32) for number in range(100, 118)))
HOME = Telling(Profile.HOME)


def public(number: int) -> bytes:
    return bytes(KEYS[number].verify_key)


def paper(body: document.Body, version: int, by: int, door: bytes = DOOR) -> bytes:
    """A signed document, `by` the key of that number."""
    return document.sign(body, door_id=door, version=version, issued_unix=1_900_000_000, key=KEYS[by])


def travels(content: bytes) -> bytes:
    return document.seal(content, door_id=DOOR, document_key=DOCUMENT_KEY.public)


class Door:
    """Lock's documents, over any number of starts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start()

    def start(self, root: int = 0) -> None:
        self.policy = Policy(DOOR, public(root), DOCUMENT_KEY, VersionFile(self.folder / "policy-version"))

    def takes(self, body: document.Body, version: int, by: int) -> Result:
        return self.policy.received(travels(paper(body, version, by)), Room.REPORT)[0]

    def succeeds(self, version: int, by: int, to: int) -> Result:
        return self.takes(Successor(public(to)), version, by)

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}

    @property
    def believed(self) -> bytes:
        return self.policy.managers.key


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


@pytest.fixture
def heir(door: Door) -> Door:
    """A door whose manager's key 0 was followed by 1, with version 5."""
    assert door.succeeds(5, 0, 1) is Result.DONE
    return door


# ---- who is believed


def test_after_a_succession_the_new_key_is_believed_and_the_old_one_is_not(heir: Door) -> None:
    for _ in range(3):
        assert heir.takes(HOME, 4_000_000_000, by=0) is Result.UNSIGNED
        assert heir.succeeds(4_000_000_000, by=0, to=2) is Result.UNSIGNED
        assert heir.policy.reporting.telling == Telling()
        heir.start()
    assert heir.takes(HOME, 6, by=1) is Result.DONE
    assert heir.policy.reporting.telling == HOME


def test_a_door_that_forgot_the_chain_at_its_start_would_be_caught(heir: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(self: Managers) -> None:
        self.chain, self._alike = Chain(self.root), True

    monkeypatch.setattr(Managers, "_load", forgetful)
    with pytest.raises(AssertionError):
        test_after_a_succession_the_new_key_is_believed_and_the_old_one_is_not(heir)


def test_a_door_that_believed_all_keys_of_the_chain_would_be_caught(
    heir: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trusting(self: Managers, content: bytes) -> document.Parsed:
        for key in self.chain.keys:
            try:
                return document.parse(content, self.door, key)
            except document.DocumentUnsigned:
                continue
        raise document.DocumentUnsigned

    monkeypatch.setattr(Managers, "parse", trusting)
    with pytest.raises(AssertionError):
        test_after_a_succession_the_new_key_is_believed_and_the_old_one_is_not(heir)


@pytest.mark.parametrize("by", [1, 2])
def test_nobody_but_the_managers_key_names_its_successor(door: Door, by: int) -> None:
    assert door.succeeds(5, by=by, to=2 if by == 1 else 1) is Result.UNSIGNED
    assert (door.believed, door.files()) == (public(0), {})


def test_a_replayed_succession_is_stale_and_changes_nothing(heir: Door) -> None:
    assert heir.succeeds(6, by=1, to=2) is Result.DONE
    before = heir.files()
    for _ in range(2):
        assert heir.succeeds(5, by=0, to=1) is Result.STALE
        assert heir.succeeds(6, by=1, to=2) is Result.STALE
        assert heir.believed == public(2)
        heir.start()
    assert heir.files() == before


def test_an_older_succession_is_stale(door: Door) -> None:
    assert door.takes(HOME, 7, by=0) is Result.DONE
    assert door.succeeds(7, by=0, to=1) is Result.STALE
    assert door.believed == public(0)


def test_a_key_does_not_follow_itself(door: Door) -> None:
    with pytest.raises(DocumentRefused, match="follow itself"):
        paper(Successor(public(0)), 5, by=0)
    content = paper(Successor(public(1)), 5, by=0)[: -64 - 32] + public(0)
    forged = content + MANAGER.sign(document._DOMAIN + content).signature
    assert door.policy.received(travels(forged), Room.DESK) == (Result.MALFORMED, ())
    assert (door.believed, door.files()) == (public(0), {})


def test_a_key_that_was_replaced_does_not_come_back(heir: Door) -> None:
    assert heir.succeeds(6, by=1, to=2) is Result.DONE
    before = heir.files()
    for to in (0, 1):
        assert heir.succeeds(7, by=2, to=to) is Result.MALFORMED
    assert (heir.believed, heir.files()) == (public(2), before)
    heir.start()
    assert heir.takes(HOME, 7, by=2) is Result.DONE


@pytest.mark.parametrize("key", [bytes(32), b"\1" + bytes(31), b"\xff" * 32], ids=["zeros", "low order", "no point"])
def test_what_is_no_key_follows_nobody(door: Door, key: bytes) -> None:
    with pytest.raises(DocumentRefused, match="key is none"):
        paper(Successor(key), 5, by=0)
    content = paper(Successor(public(1)), 5, by=0)[: -64 - 32] + key
    forged = content + MANAGER.sign(document._DOMAIN + content).signature
    assert door.policy.received(travels(forged), Room.DESK) == (Result.MALFORMED, ())
    assert door.believed == public(0)


def test_a_chain_has_sixteen_links_and_the_newest_key_in_door_toml_makes_room(door: Door) -> None:
    for number in range(MOST_LINKS):
        assert door.succeeds(number + 1, by=number, to=number + 1) is Result.DONE
    last = MOST_LINKS
    assert door.succeeds(last + 1, by=last, to=last + 1) is Result.MALFORMED
    door.start()
    assert (door.believed, len(door.policy.managers.chain.links)) == (public(last), MOST_LINKS)
    door.start(root=last)
    assert door.succeeds(last + 1, by=last, to=last + 1) is Result.DONE
    door.start(root=last)
    assert (door.believed, len(door.policy.managers.chain.links)) == (public(last + 1), 1)
    assert door.takes(HOME, 99, by=last) is Result.UNSIGNED


# ---- what is kept


def test_a_document_that_an_older_key_signed_in_its_time_stays_in_force(door: Door) -> None:
    assert door.takes(HOME, 4, by=0) is Result.DONE
    assert door.succeeds(5, by=0, to=1) is Result.DONE
    assert door.succeeds(6, by=1, to=2) is Result.DONE
    door.start()
    assert door.policy.reporting.telling == HOME


@pytest.mark.parametrize(("version", "by"), [(5, 0), (6, 0), (4, 1), (5, 1), (6, 1), (5, 2), (6, 2)])
def test_a_file_signed_by_a_key_outside_its_time_is_not_believed(door: Door, version: int, by: int) -> None:
    assert door.succeeds(5, by=0, to=1) is Result.DONE
    assert door.succeeds(6, by=1, to=2) is Result.DONE
    (door.folder / "reporting").write_bytes(DOCUMENT_KEY.kept.encrypt(paper(HOME, version, by)))
    door.start()
    assert door.policy.reporting.telling == Telling()


def test_files_that_were_believed_whenever_they_were_signed_would_be_caught(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def timeless(self: Managers, content: bytes) -> document.Parsed:
        for key in self.chain.keys:
            try:
                return document.parse(content, self.door, key)
            except document.DocumentUnsigned:
                continue
        raise document.DocumentUnsigned

    monkeypatch.setattr(Managers, "kept", timeless)
    with pytest.raises(AssertionError):
        test_a_file_signed_by_a_key_outside_its_time_is_not_believed(door, 6, 0)


def test_the_files_say_nothing_in_the_open_about_whom_the_door_believes(heir: Door) -> None:
    for name in ("managers.a", "managers.b"):
        content = heir.files()[name]
        assert public(0) not in content
        assert public(1) not in content


# ---- a disk that loses something


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    match how:
        case "gone":
            path.unlink()
        case "torn":
            path.write_bytes(content[:-1])
        case "zeros":
            path.write_bytes(bytes(len(content)))
        case "empty":
            path.write_bytes(b"")
        case "unreadable":
            path.unlink()
            path.mkdir()


DAMAGES = ["gone", "torn", "zeros", "empty", "unreadable"]


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("name", ["managers.a", "managers.b"])
def test_one_lost_copy_costs_nothing_and_is_mended(heir: Door, name: str, how: str) -> None:
    damage(heir.folder / name, how)
    heir.start()
    assert heir.takes(HOME, 9, by=0) is Result.UNSIGNED
    assert heir.believed == public(1)
    if how != "unreadable":
        (heir.folder / ({"managers.a", "managers.b"} - {name}).pop()).unlink()
        heir.start()
        assert heir.believed == public(1)


@pytest.mark.parametrize("first", DAMAGES)
@pytest.mark.parametrize("second", DAMAGES)
def test_a_door_that_lost_both_copies_believes_nobody(heir: Door, first: str, second: str) -> None:
    """Rather than the key in door.toml, which may have been replaced because it was stolen."""
    assert heir.takes(HOME, 6, by=1) is Result.DONE
    damage(heir.folder / "managers.a", first)
    damage(heir.folder / "managers.b", second)
    before = heir.files()
    heir.start()
    assert heir.believed == b""
    for by in (0, 1):
        assert heir.takes(Telling(), 9, by) is Result.FAULT
        assert heir.succeeds(9, by, to=2) is Result.FAULT
    assert heir.policy.reporting.telling == Telling(), "it tells less, not more"
    assert heir.files() == before


def test_a_door_that_fell_back_to_the_key_in_door_toml_would_be_caught(
    heir: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = Managers._load

    def careless(self: Managers) -> None:
        load(self)
        self.lost = False

    monkeypatch.setattr(Managers, "_load", careless)
    with pytest.raises(AssertionError):
        test_a_door_that_lost_both_copies_believes_nobody(heir, "gone", "gone")


def test_the_newest_key_in_door_toml_heals_a_door_that_lost_both_copies(
    heir: Door, capfd: pytest.CaptureFixture[str]
) -> None:
    damage(heir.folder / "managers.a", "gone")
    damage(heir.folder / "managers.b", "torn")
    heir.start()
    said = capfd.readouterr().err
    assert "write the manager's newest key into door.toml" in said
    assert "over the one in joined.toml" in said, "in both files with two values it would be no configuration at all"
    for _ in range(2):
        heir.start(root=1)
        assert heir.takes(HOME, 6, by=1) in (Result.DONE, Result.STALE)
        assert heir.takes(HOME, 9, by=0) is Result.UNSIGNED
    heir.start(root=0)
    assert heir.takes(HOME, 9, by=0) is Result.FAULT, "the old key in door.toml is still the old one"


def test_older_copies_that_were_put_back_are_not_believed(heir: Door, tmp_path: Path) -> None:
    older = {name: content for name, content in heir.files().items() if name.startswith("managers")}
    assert heir.succeeds(6, by=1, to=2) is Result.DONE
    for name, content in older.items():
        (tmp_path / name).write_bytes(content)
    heir.start()
    assert heir.takes(HOME, 9, by=1) is Result.FAULT
    (tmp_path / "managers.a").unlink()
    heir.start()
    assert heir.takes(HOME, 9, by=1) is Result.FAULT


def test_one_older_copy_that_was_put_back_is_mended(heir: Door) -> None:
    older = heir.files()["managers.a"]
    assert heir.succeeds(6, by=1, to=2) is Result.DONE
    (heir.folder / "managers.a").write_bytes(older)
    heir.start()
    assert heir.believed == public(2)
    (heir.folder / "managers.b").unlink()
    heir.start()
    assert heir.believed == public(2)


def test_a_version_that_was_lost_comes_back_with_the_chain(heir: Door) -> None:
    (heir.folder / "policy-version").unlink()
    heir.start()
    assert (heir.policy.version, heir.believed) == (5, public(1))
    assert heir.takes(HOME, 5, by=1) is Result.STALE


def test_the_chain_of_another_door_is_not_believed(heir: Door, tmp_path: Path) -> None:
    """Sealed with the same key, as a copied credential would make it."""
    other = tmp_path / "other"
    content = paper(Successor(public(1)), 5, by=0, door=bytes(8))
    Managers(other, bytes(8), public(0), DOCUMENT_KEY.kept).apply(content, document.parse(content, bytes(8), public(0)))
    for name in ("managers.a", "managers.b"):
        shutil.copy(other / name, heir.folder / name)
    heir.start()
    assert heir.believed == b""


def test_a_chain_that_nobody_signed_is_not_believed(door: Door) -> None:
    forged = paper(Successor(public(1)), 5, by=2)
    chain = Chain(public(0), (managers.Link(forged, 5, public(1)),))
    for path in door.policy.managers.paths:
        path.write_bytes(DOCUMENT_KEY.kept.encrypt(managers._packed(chain)))
    door.start()
    assert door.believed == b""


# ---- door.toml


def test_another_managers_key_in_door_toml_begins_anew(heir: Door) -> None:
    heir.start(root=7)
    assert heir.takes(HOME, 6, by=1) is Result.UNSIGNED
    assert heir.takes(HOME, 6, by=7) is Result.DONE
    assert heir.succeeds(7, by=7, to=8) is Result.DONE
    heir.start(root=7)
    assert heir.believed == public(8)


def test_a_key_of_the_chain_in_door_toml_keeps_the_chain(heir: Door) -> None:
    assert heir.succeeds(6, by=1, to=2) is Result.DONE
    for root in (1, 2, 0):
        heir.start(root=root)
        assert heir.believed == public(2)


def test_a_door_without_a_manager_has_no_successor_either(tmp_path: Path) -> None:
    policy = Policy(DOOR, b"", DOCUMENT_KEY, VersionFile(tmp_path / "policy-version"))
    content = travels(paper(Successor(public(1)), 1, by=0))
    assert policy.received(content, Room.DESK) == (Result.UNSIGNED, ())


# ---- a power cut, a full disk


class PowerCut(BaseException):
    """Nothing after this happens."""


@pytest.mark.parametrize("written", range(4))
@pytest.mark.parametrize("end", [PowerCut, StoreFault])
def test_a_succession_that_is_cut_short_is_done_wholly_or_not_at_all(
    heir: Door, monkeypatch: pytest.MonkeyPatch, written: int, end: type[BaseException]
) -> None:
    """After each number of files that were written: a power cut and a start, or a full disk and no start."""
    store, many = durable.store, 0

    def cut(path: Path, content: bytes, what: str) -> None:
        nonlocal many
        if many == written:
            raise end(what)
        many += 1
        store(path, content, what)

    with monkeypatch.context() as patched:
        patched.setattr(durable, "store", cut)
        if end is PowerCut:
            with pytest.raises(PowerCut):
                heir.succeeds(6, by=1, to=2)
        else:
            assert heir.succeeds(6, by=1, to=2) is (Result.FAULT if written < 3 else Result.DONE)
    if end is PowerCut:
        heir.start()
    done = written > 0
    assert heir.believed == public(2 if done else 1)
    assert heir.takes(HOME, 9, by=0) is Result.UNSIGNED
    if done:
        assert heir.takes(HOME, 9, by=1) is Result.UNSIGNED
    again = heir.succeeds(6, by=1, to=2)
    assert again in (Result.DONE, Result.STALE)
    assert heir.policy.version == 6
    for name in ("managers.a", "managers.b"):
        shutil.copy(heir.folder / name, heir.folder / "kept")
        (heir.folder / name).unlink()
        heir.start()
        assert heir.believed == public(2)
    assert heir.takes(HOME, 7, by=2) is Result.DONE


def test_a_door_that_wrote_the_version_first_would_be_caught(heir: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault: the version without the key; the manager thinks it done, the door believes the thief."""
    in_force = Policy._put_in_force

    def hasty(self: Policy, signed: bytes, parsed: document.Parsed) -> Result:
        self._store(parsed.version)
        return in_force(self, signed, parsed)

    monkeypatch.setattr(Policy, "_put_in_force", hasty)
    with pytest.raises(AssertionError):
        test_a_succession_that_is_cut_short_is_done_wholly_or_not_at_all(heir, monkeypatch, 1, PowerCut)


def test_a_full_disk_leaves_the_old_key_and_says_so(heir: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_path: Path, _content: bytes, what: str) -> None:
        msg = f"{what} cannot be stored: No space left on device"
        raise StoreFault(msg)

    with monkeypatch.context() as patched:
        patched.setattr(durable, "store", full)
        assert heir.succeeds(6, by=1, to=2) is Result.FAULT
        assert heir.believed == public(1)
    assert heir.takes(Telling(Profile.BUILDING, 500, NO_ALARM_KEY), 6, by=1) is Result.DONE


def test_a_link_has_always_the_same_size() -> None:
    sizes = {len(paper(Successor(public(1)), version, by=0)) for version in (1, 2**32 - 1)}
    assert sizes == {managers._LINK_BYTES}
