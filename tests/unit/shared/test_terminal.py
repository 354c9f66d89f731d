"""A refusal names things that somebody else named: it reaches a terminal as letters, whatever the name holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from device.desk.cli import cli as doorctl
from device.terminal import plain, sentence
from provisioning.cli import cli as doorward

EVIL = "\x1b]0;title\x07\x1b[2J\r\u202egnp.\u2066\x9b31m"


@pytest.mark.parametrize("said", ["a door's file", "临街大门　不是", "Zoë’s “door” – 3\u00a0m\nand on", "حارس"])
def test_what_people_write_stays_as_it_is(said: str) -> None:
    assert plain(said) == said


def test_what_moves_a_terminal_or_turns_a_line_around_is_shown_as_an_escape() -> None:
    assert plain(EVIL) == r"\x1b]0;title\x07\x1b[2J\r\u202egnp.\u2066\x9b31m"


@pytest.mark.parametrize("file", ["label", "label.txt", "of/label", "front_label"])
def test_a_files_name_begins_a_sentence_as_it_is_written(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(doorctl, ["receipt", "verify", file])
    assert said.stderr == f"{file} cannot be read: No such file or directory.\n"
    assert sentence("the answer cannot be read") == "The answer cannot be read."


@pytest.mark.parametrize("program", ["doorctl", "doorward"])
def test_a_file_of_an_evil_name_moves_nobodys_terminal(program: str, tmp_path: Path) -> None:
    file = tmp_path / EVIL
    file.write_text("no paper")
    if program == "doorctl":
        said = CliRunner().invoke(doorctl, ["receipt", "verify", str(file)])
    else:
        fleet = ["--fleet", str(tmp_path / "fleet")]
        said = CliRunner().invoke(doorward, ["door", "identify", "front", str(file), *fleet])
    assert said.exit_code == 1
    assert said.output
    assert all(each.isprintable() or each == "\n" for each in said.output), repr(said.output)
