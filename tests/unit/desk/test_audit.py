"""The audit finds what it is there to find: each check is shown a door that is well, and one with the fault."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from device import wire
from device.attestation import MARK_BYTES, Verified
from device.desk import cli, terms
from device.desk.audit import cli as audit_cli
from device.desk.audit import door as the_door
from device.desk.audit import erasure, folders, search
from device.desk.audit.finding import State
from device.edges import Room
from device.errors import ConfigRefused
from device.paths import Paths, door_paths, models_dir
from device.strength import KeyPlace, describe
from device.wire import RecordAnswer
from tests.unit.desk.house import Robot, open_desk, short_root
from tests.unit.desk.papers import DOOR, KEY, MARK, OTHER_KEY, RECEIPT, RECORD_ID, agreed, keep, write_config

DOOR_KEY = bytes(KEY.verify_key)
IN_FORCE = bytes(16)  # stands for the hash of whatever terms are in force at the door
WELL = RecordAnswer(named=False, key_place=KeyPlace.FILE_HOST_KEY, door_key=DOOR_KEY, terms=IN_FORCE)
LIVING = bytes(range(50, 66)).hex() + ".rec"


@dataclass(frozen=True, slots=True)
class Place:
    """A simulated door with one record, and a receipt for one that is gone."""

    root: Path
    receipt: Path

    @property
    def vault(self) -> Path:
        """Vault's state folder."""
        return Paths(self.root).state(Room.VAULT)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Place]:
    with short_root() as root:
        write_config(root)
        monkeypatch.setenv("DOORWARD_ROOT", str(root))
        monkeypatch.setenv("DOORWARD_ONE_USER", "simulated")
        for room in folders.STATEFUL:
            Paths(root).state(room).mkdir(parents=True, mode=0o700)
        vault = Paths(root).state(Room.VAULT)
        for name in ("ring.a", "epoch.key", LIVING):
            (vault / name).write_bytes(os.urandom(700))
        yield Place(root, keep(tmp_path / "receipt", RECEIPT))


def says(answer: RecordAnswer) -> Robot:
    if answer.terms == IN_FORCE:
        with suppress(ConfigRefused):
            answer = replace(answer, terms=terms.in_force(door_paths(), models_dir()).hash[:16])

    def vault(msg: wire.Message) -> list[wire.Message]:
        return [answer] if isinstance(msg, wire.AskRecord) else []

    return vault


def doorctl(*args: str | Path) -> Result:
    result = CliRunner().invoke(cli.cli, ["audit", *map(str, args)], prog_name="doorctl")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def audited(place: Place, *args: str | Path, vault: RecordAnswer | None = WELL) -> tuple[int, dict[str, str]]:
    """Exit code, and the state of each check by its name; `vault` None: it is away."""
    with open_desk(place.root, {} if vault is None else {Room.VAULT: says(vault)}):
        said = doorctl("--json", *args)
    checks = json.loads(said.stdout)["checks"]
    assert len({check["name"] for check in checks}) == len(checks)
    return said.exit_code, {check["name"]: check["state"] for check in checks}


def failing(states: dict[str, str]) -> list[str]:
    return [name for name, state in states.items() if state == "failed"]


# ---- a door that is well


def test_a_door_that_is_well_passes_every_check(place: Place, tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(os.urandom(1 << 16))
    code, states = audited(place, "--receipt", place.receipt, "--image", tmp_path / "image")
    assert states == {
        **{f"{room} folder": "ok" for room in folders.STATEFUL},
        "vault files": "ok",
        "configuration": "ok",
        "models": "ok",
        "notice": "ok",
        "door key": "ok",
        "key place": "ok",
        "walls": "skipped",
        "receipt": "ok",
        "receipt's door": "ok",
        "receipt's key": "ok",
        "ring": "ok",
        "record's file": "ok",
        "record's mark": "ok",
        "image": "ok",
    }
    assert code == 0


def test_a_person_reads_places_checks_and_what_no_audit_can_show(place: Place) -> None:
    with open_desk(place.root, {Room.VAULT: says(WELL)}):
        said = doorctl("--receipt", place.receipt)
    assert said.exit_code == 0
    for sentence in describe(KeyPlace.FILE_HOST_KEY).sentences():
        assert said.stdout.count(sentence) == 2, "of vault and of keeper"
    assert agreed(place.root).terms_hash.hex() in said.stdout
    assert DOOR_KEY.hex() in said.stdout
    assert all(limit in said.stdout for limit in the_door.CANNOT_SHOW)
    assert said.stdout.splitlines()[-1].startswith("All ")


def test_json_names_the_places_and_the_key(place: Place) -> None:
    write_config(place.root, '[vault]\nkey_store = "tpm-nv"\n')
    (place.vault / "epoch.key").unlink()
    answer = RecordAnswer(named=False, key_place=KeyPlace.TPM_NV, door_key=DOOR_KEY, terms=IN_FORCE)
    with open_desk(place.root, {Room.VAULT: says(answer)}):
        told = json.loads(doorctl("--json").stdout)
    assert told["ok"] is True
    assert told["door_key"] == DOOR_KEY.hex()
    assert {room: found["key_place"] for room, found in told["places"].items()} == {
        "vault": "tpm_nv",
        "keeper": "file_host_key",
    }


def test_without_vault_what_needs_it_is_skipped_and_the_rest_is_checked(place: Place) -> None:
    code, states = audited(place, "--receipt", place.receipt, vault=None)
    skipped = [name for name, state in states.items() if state == "skipped"]
    assert skipped == ["door key", "key place", "walls", "receipt's key", "ring"]
    assert code == 0


def test_a_door_that_is_not_running_is_audited_too(place: Place) -> None:
    said = doorctl("--receipt", place.receipt)
    assert said.exit_code == 0
    assert "no door is running here" in said.stdout
    assert "could not be looked at" in said.stdout.splitlines()[-1]


def test_a_new_door_has_no_folders_and_fails_nothing(place: Place) -> None:
    for room in folders.STATEFUL:
        for path in Paths(place.root).state(room).iterdir():
            path.unlink()
        Paths(place.root).state(room).rmdir()
    code, states = audited(place)
    assert code == 0
    assert states["vault folder"] == states["vault files"] == "skipped"


# ---- seeded faults: each is caught, alone


def leave_a_file(place: Place) -> None:
    (place.vault / f"{LIVING}.bak").write_bytes(b"left over")


def leave_a_folder(place: Place) -> None:
    (place.vault / "old").mkdir()


def leave_a_link(place: Place) -> None:
    (place.vault / ("0" * 32 + ".rec")).symlink_to(place.vault / LIVING)


def leave_the_record(place: Place) -> None:
    (place.vault / f"{RECORD_ID.hex()}.rec").write_bytes(b"wiped, but still here")


def leave_the_record_in_a_folder(place: Place) -> None:
    leave_a_folder(place)
    (place.vault / "old" / f"{RECORD_ID.hex()}.rec").write_bytes(b"moved away")


def leave_the_mark(place: Place) -> None:
    (place.vault / LIVING).write_bytes(os.urandom(8) + MARK + os.urandom(600))


def open_the_folder(place: Place) -> None:
    place.vault.chmod(0o750)


def open_reports_folder(place: Place) -> None:
    Paths(place.root).state(Room.REPORT).chmod(0o770)


def replace_the_folder(place: Place) -> None:
    keeper = Paths(place.root).state(Room.KEEPER)
    keeper.rmdir()
    keeper.symlink_to(place.vault)


def spoil_the_configuration(place: Place) -> None:
    Paths(place.root).config.write_text("[door]\nid = 5\n")


def change_the_configuration(place: Place) -> None:
    write_config(place.root, '[vault]\nroot_key_sealed_with = "tpm2"\n')


def of_another_door(place: Place) -> None:
    keep(place.receipt, RECEIPT, door=bytes(8))


def of_another_key(place: Place) -> None:
    keep(place.receipt, RECEIPT, OTHER_KEY)


def change_a_byte(place: Place) -> None:
    text = place.receipt.read_text()
    at = text.index("-----\n") + 20
    place.receipt.write_text(text[:at] + ("B" if text[at] != "B" else "C") + text[at + 1 :])


def lose_the_receipt(place: Place) -> None:
    place.receipt.unlink()


FAULTS = {
    leave_a_file: ["vault files"],
    leave_a_folder: ["vault files"],
    leave_a_link: ["vault files", "record's mark"],
    leave_the_record: ["record's file"],
    leave_the_record_in_a_folder: ["vault files", "record's file"],
    leave_the_mark: ["record's mark"],
    open_the_folder: ["vault folder"],
    open_reports_folder: ["report folder"],
    replace_the_folder: ["keeper folder"],
    spoil_the_configuration: ["configuration", "notice"],
    change_the_configuration: ["key place"],
    of_another_door: ["receipt's door"],
    of_another_key: ["receipt's key"],
    change_a_byte: ["receipt"],
    lose_the_receipt: ["receipt"],
}


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize("seed", FAULTS, ids=lambda seed: seed.__name__)
def test_a_seeded_fault_is_caught_and_fails_the_audit(place: Place, seed: object) -> None:
    assert callable(seed)
    seed(place)
    code, states = audited(place, "--receipt", place.receipt)
    assert failing(states) == FAULTS[seed]
    assert code == 1


def test_a_ring_that_still_names_the_record_is_caught(place: Place) -> None:
    named = RecordAnswer(named=True, key_place=KeyPlace.FILE_HOST_KEY, door_key=DOOR_KEY, terms=IN_FORCE)
    code, states = audited(place, "--receipt", place.receipt, vault=named)
    assert (code, failing(states)) == (1, ["ring"])


def test_a_place_that_nobody_knows_is_caught(place: Place) -> None:
    code, states = audited(place, vault=RecordAnswer(named=False, key_place=9, door_key=DOOR_KEY, terms=IN_FORCE))
    assert (code, failing(states)) == (1, ["key place"])


def test_terms_that_were_changed_since_vault_started_are_caught(place: Place) -> None:
    """Lock alone started anew, say, and now lets a face open that agreed to be asked for the PIN."""
    code, states = audited(place, vault=replace(WELL, terms=bytes(range(16))))
    assert (code, failing(states)) == (1, ["notice"])


def test_an_audit_does_not_tell_how_many_use_a_face(place: Place) -> None:
    with open_desk(place.root, {Room.VAULT: says(WELL)}):
        one = doorctl("--json").stdout
        for number in range(3):
            (place.vault / f"{number:032x}.rec").write_bytes(os.urandom(700))
        assert doorctl("--json").stdout == one


def test_a_key_file_beside_a_tpm_is_caught(place: Place) -> None:
    write_config(place.root, '[vault]\nkey_store = "tpm-nv"\n')
    answer = RecordAnswer(named=False, key_place=KeyPlace.TPM_NV, door_key=DOOR_KEY, terms=IN_FORCE)
    assert failing(audited(place, vault=answer)[1]) == ["vault files"]


@pytest.mark.parametrize("room", folders.STATEFUL)
def test_a_folder_of_another_user_or_of_a_room_without_one_is_caught(place: Place, room: Room) -> None:
    folder, me = Paths(place.root).state(room), os.geteuid()
    assert folders.owner_and_mode(room, folder, frozenset({me})).state is State.OK
    assert folders.owner_and_mode(room, folder, frozenset({me + 1})).state is State.FAILED
    assert folders.owner_and_mode(room, folder, frozenset()).state is State.FAILED


def test_a_folder_that_may_not_be_read_is_no_silent_pass(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_path: object) -> object:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", forbidden)
        findings = (
            folders.only_known_files(place.vault, "file"),
            erasure.no_file(place.vault, RECEIPT),
            erasure.no_mark(place.vault, RECEIPT),
        )
    for finding in findings:
        assert finding.state is State.FAILED
        assert "sudo" in finding.sentence


def test_a_receipt_is_about_the_record_that_vault_is_asked_for(place: Place) -> None:
    asked: list[wire.Message] = []

    def vault(msg: wire.Message) -> list[wire.Message]:
        asked.append(msg)
        return [WELL]

    with open_desk(place.root, {Room.VAULT: vault}):
        doorctl("--receipt", place.receipt)
        doorctl()
        doorctl()
    assert asked[0] == wire.AskRecord(RECORD_ID)
    assert asked[1] != asked[2], "without a receipt a record that cannot be there is asked for"


def test_a_receipt_of_this_door_needs_both_its_id_and_its_key() -> None:
    def states(verified: Verified, door: bytes | None, vault: RecordAnswer | str) -> list[State]:
        return [finding.state for finding in erasure.is_this_doors(verified, door, vault)]

    ours = Verified(RECEIPT, DOOR_KEY)
    assert states(ours, DOOR, WELL) == [State.OK, State.OK]
    assert states(ours, bytes(8), WELL) == [State.FAILED, State.OK]
    assert states(Verified(RECEIPT, bytes(32)), DOOR, WELL) == [State.OK, State.FAILED]
    assert states(ours, None, "vault is away") == [State.SKIPPED, State.SKIPPED]


# ---- disks and images


def test_a_mark_in_an_image_is_found_where_it_is(place: Place, tmp_path: Path) -> None:
    clean, dirty = tmp_path / "clean", tmp_path / "dirty"
    clean.write_bytes(os.urandom(100_000))
    dirty.write_bytes(bytes(70_000) + MARK + bytes(5) + MARK)
    with open_desk(place.root, {Room.VAULT: says(WELL)}):
        said = doorctl("--receipt", place.receipt, "--image", clean, "--image", dirty)
    assert said.exit_code == 1
    assert f"{clean}: not found in 100000 bytes" in said.stdout
    assert f"{dirty}: found at byte 70000, 70037;" in said.stdout


def test_an_image_that_cannot_be_searched_is_no_pass(place: Place, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "missing", tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        code, states = audited(place, "--receipt", place.receipt, "--image", path)
        assert (code, failing(states)) == (1, ["image"])


@pytest.mark.usefixtures("place")
def test_an_image_without_a_receipt_is_a_usage_error(tmp_path: Path) -> None:
    assert doorctl("--image", tmp_path).exit_code == 2


@pytest.mark.usefixtures("place")
def test_an_image_with_a_receipt_that_is_none_is_not_searched(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(MARK)
    (tmp_path / "no-receipt").write_text("nothing")
    said = json.loads(doorctl("--receipt", tmp_path / "no-receipt", "--image", tmp_path / "image", "--json").stdout)
    states = {check["name"]: check["state"] for check in said["checks"]}
    assert (states["receipt"], states["image"]) == ("failed", "skipped")


def test_a_record_without_a_mark_is_not_searched_for_zeros(place: Place, tmp_path: Path) -> None:
    keep(place.receipt, RECEIPT, mark=bytes(MARK_BYTES))
    (tmp_path / "image").write_bytes(bytes(4096))
    (place.vault / LIVING).write_bytes(bytes(700))
    code, states = audited(place, "--receipt", place.receipt, "--image", tmp_path / "image")
    assert (code, states["record's mark"], states["image"]) == (0, "skipped", "skipped")


def test_ctrl_c_during_a_search_keeps_what_was_found_and_exits_130(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_args: object) -> Iterator[int]:
        raise KeyboardInterrupt
        yield 0

    (tmp_path / "image").write_bytes(bytes(4096))
    (place.vault / LIVING).unlink()
    for name in ("ring.a", "epoch.key"):
        (place.vault / name).unlink()
    monkeypatch.setattr(search, "offsets", interrupted)
    with open_desk(place.root, {Room.VAULT: says(WELL)}):
        said = doorctl("--receipt", place.receipt, "--image", tmp_path / "image")
        told = doorctl("--receipt", place.receipt, "--image", tmp_path / "image", "--json")
    assert said.exit_code == told.exit_code == 130
    assert "record's mark" in said.stdout
    assert said.stderr == audit_cli.STOPPED + "\n"
    assert json.loads(told.stdout) == {"ok": False, "reason": audit_cli.STOPPED}


def test_progress_is_shown_on_a_terminal_and_nowhere_else(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "image").write_bytes(bytes(4096))
    quiet = doorctl("--receipt", place.receipt, "--image", tmp_path / "image")
    monkeypatch.setenv("FORCE_COLOR", "1")  # which rich takes for a terminal
    monkeypatch.setenv("TERM", "xterm")
    shown = doorctl("--receipt", place.receipt, "--image", tmp_path / "image")
    assert quiet.stderr == ""
    assert "100%" in shown.stderr
    assert shown.stdout == quiet.stdout


# ---- the search itself


def pieces(content: bytes) -> Callable[[int], bytes]:
    rest = [content]

    def read(count: int) -> bytes:
        piece, rest[0] = rest[0][:count], rest[0][count:]
        return piece

    return read


@given(st.binary(max_size=200), st.lists(st.binary(max_size=40), max_size=4), st.integers(1, 97))
def test_every_mark_is_found_once_wherever_the_pieces_end(first: bytes, between: list[bytes], chunk: int) -> None:
    content = first + b"".join(MARK + part for part in between)
    expected = [at for at in range(len(content)) if content.startswith(MARK, at)]
    advanced: list[int] = []
    assert list(search.offsets(pieces(content), MARK, advanced.append, chunk)) == expected
    assert sum(advanced) == len(content)


def test_a_search_without_overlap_would_be_caught() -> None:
    """What the pieces hold one by one: nothing, where the mark lies across two of them."""
    content = bytes(90) + MARK + bytes(90)
    assert list(search.offsets(pieces(content), MARK, chunk_bytes=100)) == [90]
    assert not [piece for piece in (content[:100], content[100:200], content[200:]) if MARK in piece]


def test_an_empty_mark_is_refused() -> None:
    with pytest.raises(ValueError, match="everywhere"):
        list(search.offsets(pieces(b"x"), b""))


def test_a_disk_that_stops_in_the_middle_was_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "image").write_bytes(bytes(8192))
    really = os.read

    def bad_block(handle: int, count: int) -> bytes:
        if os.lseek(handle, 0, os.SEEK_CUR) >= 4096:
            raise OSError(5, "Input/output error")
        return really(handle, min(count, 4096))

    with search.opened(tmp_path / "image", follow=True) as source, monkeypatch.context() as patched:
        patched.setattr(os, "read", bad_block)
        with pytest.raises(search.SearchFault, match="from byte 4096 on"):
            list(search.offsets(source.read, MARK))


def test_a_link_to_a_disk_is_followed_and_one_in_vaults_folder_is_not(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "image")
    with search.opened(tmp_path / "link", follow=True) as source:
        assert source.size == 5
    with pytest.raises(search.SearchFault), search.opened(tmp_path / "link", follow=False):
        pass
