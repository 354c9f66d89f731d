"""joined.toml is kept twice: which of the two counts, who mends the other, and what people are told."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from device import config, installing, learned
from device.config.tables import Config
from device.desk import sentences
from device.desk.cli import cli
from device.desk.joining import cli as join_cli
from device.desk.joining import steps
from device.desk.joining.steps import AtTheDoor
from device.errors import ConfigRefused, JoiningRefused, NotJoined, StoreFault
from device.learned import COPY, JOINED, Kept
from device.paths import Paths
from tests.unit.joining.papers import DOCUMENT_KEY, MANAGER_KEY, NOW_UNIX, Authority, label

AUTHORITY = Authority.make()
LABEL = label(AUTHORITY)
TEXT = installing.settings(LABEL)
OTHER_KEY = TEXT.replace(MANAGER_KEY.hex(), "ac" * 32)


@pytest.fixture
def door(tmp_path: Path) -> AtTheDoor:
    paths = Paths(tmp_path)
    paths.config.parent.mkdir(parents=True)
    paths.config.write_text("[lock]\nunlock_ms = 5000\n", encoding="utf-8")
    return AtTheDoor(paths, NOW_UNIX)


@pytest.fixture
def joined(door: AtTheDoor) -> AtTheDoor:
    door.take(LABEL)
    door.mend()
    return door


def main_file(door: AtTheDoor) -> Path:
    return door.paths.config.with_name(JOINED)


def copy_of(door: AtTheDoor) -> Path:
    return door.paths.config.with_name(COPY)


def reads(door: AtTheDoor) -> Config:
    return config.load(door.paths.config)


TORN = {
    "gone": None,
    "empty": b"",
    "zeros": bytes(len(TEXT)),
    "no text": b"\xff\xfe" + TEXT.encode(),
    "no TOML": TEXT.encode()[:-3] + b"\n",
    "without its broker": TEXT.encode()[: TEXT.index("[report]")],
    "without its key": TEXT.encode()[: TEXT.index("manager_key")],
    "another table": b'[report]\nbroker = ""\n',
}


def tear(path: Path, content: bytes | None) -> None:
    path.unlink() if content is None else path.write_bytes(content)


@pytest.mark.parametrize("how", TORN)
def test_a_lost_or_torn_joined_toml_stops_nothing_and_is_put_back(joined: AtTheDoor, how: str) -> None:
    before = reads(joined)
    tear(main_file(joined), TORN[how])
    assert reads(joined) == before
    assert joined.joined
    assert "put" in steps.unlike(joined)
    assert "was put back" in joined.mend()
    assert (main_file(joined).read_text(), steps.unlike(joined)) == (TEXT, "")


@pytest.mark.parametrize("how", TORN)
def test_a_lost_or_torn_copy_counts_for_nothing_and_is_made_anew(joined: AtTheDoor, how: str) -> None:
    before = reads(joined)
    tear(copy_of(joined), TORN[how])
    assert reads(joined) == before
    assert joined.mend() == ""
    assert copy_of(joined).read_text() == TEXT


def test_every_beginning_of_joined_toml_is_torn(joined: AtTheDoor) -> None:
    before = reads(joined)
    for length in range(len(TEXT)):
        main_file(joined).write_text(TEXT[:length])
        assert reads(joined) == before, TEXT[:length]


def test_seeded_fault_without_the_copy_a_torn_joined_toml_stops_the_door_or_silences_it(
    joined: AtTheDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learned, "_copy", lambda _config: None)
    with pytest.raises((AssertionError, NotJoined, ConfigRefused)):
        test_every_beginning_of_joined_toml_is_torn(joined)
    main_file(joined).unlink()
    with pytest.raises(NotJoined):
        reads(joined)


def test_a_key_that_a_person_wrote_into_joined_toml_counts_and_is_copied(joined: AtTheDoor) -> None:
    """The way back after a key was lost (docs/fleet.md); the older copy must not undo it."""
    main_file(joined).write_text(OTHER_KEY)
    assert reads(joined).door.manager_key == "ac" * 32
    assert "no copy that says the same" in steps.unlike(joined)
    joined.mend()
    main_file(joined).unlink()
    assert reads(joined).door.manager_key == "ac" * 32


def test_with_both_torn_the_sentence_is_that_of_joined_toml(joined: AtTheDoor) -> None:
    for path in (main_file(joined), copy_of(joined)):
        path.write_text("[door")
    with pytest.raises(ConfigRefused, match=r"joined\.toml is no TOML"):
        reads(joined)
    assert joined.mend() == ""
    assert main_file(joined).read_text() == "[door", "nothing that somebody could still read is written over"


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_any_two_files_are_read_or_refused(main: bytes, copy: bytes) -> None:
    with TemporaryDirectory() as folder:
        files = (Path(folder) / JOINED, Path(folder) / COPY)
        for path, content in zip(files, (main, copy), strict=True):
            path.write_bytes(content)
        try:
            found = learned.read(Path(folder) / "door.toml")
        except ConfigRefused:
            return
        assert found.text in {path.read_text("utf-8", "replace") for path in files}


def test_a_door_with_its_id_in_door_toml_has_neither_and_is_told_of_neither(door: AtTheDoor) -> None:
    door.paths.config.write_text('[door]\nid = "00112233445566ff"\n')
    assert learned.read(door.paths.config).kept is Kept.NOTHING
    assert (door.mend(), steps.unlike(door), door.joined) == ("", "", False)
    assert not main_file(door).exists()


def test_a_door_that_lives_by_its_copy_takes_no_other_managers_label(joined: AtTheDoor) -> None:
    main_file(joined).unlink()
    with pytest.raises(JoiningRefused, match="joined already"):
        joined.take(label(AUTHORITY, host="evil.example"))


def test_a_copy_that_cannot_be_written_is_told_and_the_door_has_joined(
    door: AtTheDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.take(LABEL)

    def full(_path: Path, _content: bytes, _mode: int = 0o644) -> None:
        msg = "the disk is full"
        raise StoreFault(msg)

    with monkeypatch.context() as disk:
        disk.setattr(installing, "store", full)
        assert "in one file only" in door.mend()
    assert reads(door).door.manager_key == MANAGER_KEY.hex()
    assert door.mend() == ""
    assert copy_of(door).read_text() == TEXT


def run(door: AtTheDoor, monkeypatch: pytest.MonkeyPatch, *words: str, given: str = "") -> tuple[int, str, str]:
    monkeypatch.setenv("DOORWARD_ROOT", str(door.paths.root))
    monkeypatch.setattr(join_cli, "_document_key", lambda _paths: DOCUMENT_KEY)
    monkeypatch.setattr(AtTheDoor, "here", classmethod(lambda cls, paths: cls(paths, NOW_UNIX)))
    ran = CliRunner().invoke(cli, words, input=given)
    assert ran.exception is None or isinstance(ran.exception, SystemExit)
    return ran.exit_code, ran.stdout, ran.stderr


def test_doorctl_join_keeps_it_twice_and_puts_it_back(door: AtTheDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(door, monkeypatch, "join", given=LABEL.text())[0] == 0
    assert copy_of(door).read_text() == TEXT
    main_file(door).unlink()
    code, out, err = run(door, monkeypatch, "join")
    assert (code, main_file(door).read_text()) == (0, TEXT)
    assert "was put back" in out + err


def test_status_of_a_door_that_has_not_joined_says_so_and_what_to_do(
    door: AtTheDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = run(door, monkeypatch, "status")
    assert (code, out, err) == (1, "", sentences.NOT_JOINED + "\n")
    assert "doorctl join --label" in err
    code, out, _ = run(door, monkeypatch, "status", "--json")
    assert (code, json.loads(out)["joined"]) == (1, False)


def test_a_door_toml_that_is_wrong_is_not_called_a_door_that_has_not_joined(
    door: AtTheDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.paths.config.write_text("[door")
    assert "joined" not in run(door, monkeypatch, "status")[2]
