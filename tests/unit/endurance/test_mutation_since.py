"""What is new since a commit: every function, method or statement that does not do what it did, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from tools.endurance.__main__ import main
from tools.endurance.mutants import mutants
from tools.endurance.mutation_since import Unknown, changed, everywhere, since

BEFORE = '''"""What it is."""
LIMIT = 3
OTHER = 4

def ok(n):
    """Whether."""
    def inner():
        return 1
    return n > LIMIT

class Door(Base, strong=1):
    """A door."""
    width = 1

    @property
    def open(self):
        return self.angle > 5

    @open.setter
    def open(self, value):
        self.angle = 6 if value else 0
'''


def lines(before: str, now: str) -> set[str]:
    """The text of the lines that are new."""
    text = now.splitlines()
    return {text[line - 1].strip() for each in changed(before, now) for line in each}


def test_what_is_as_it_was_is_not_new_wherever_it_stands_and_whatever_is_said_about_it() -> None:
    assert changed(BEFORE, BEFORE) == []
    moved = BEFORE.replace("What it is", "What else").replace("Whether", "If").replace("A door", "One")
    moved = moved.replace("LIMIT = 3\n", "\n# three\n\nLIMIT = (3)  # three\n").replace(
        "return n", "# yes\n    return n"
    )
    assert changed(BEFORE, moved) == []
    first, _, rest = BEFORE.partition("def ok")
    function, _, door = rest.partition("class")
    assert changed(BEFORE, f"{first}class{door}\ndef ok{function}") == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("LIMIT = 3", "LIMIT = 2", {"LIMIT = 2"}),
        ("        return 1", "        return 2", {"def ok(n):", "def inner():", "return 2", "return n > LIMIT"}),
        ("width = 1", "width = 2", {"width = 2"}),
        ("strong=1", "strong=2", {"class Door(Base, strong=2):"}),
        ("self.angle > 5", "self.angle > 6", {"def open(self):", "return self.angle > 6"}),
        ("6 if", "7 if", {"def open(self, value):", "self.angle = 7 if value else 0"}),
        ("@property", "@kept", {"def open(self):", "return self.angle > 5"}),
        ("OTHER = 4", "OTHER = 4\nthird()", {"third()"}),
    ],
)
def test_a_change_makes_its_function_or_its_statement_new_and_no_other(old: str, new: str, expected: set[str]) -> None:
    assert old in BEFORE
    assert expected <= lines(BEFORE, BEFORE.replace(old, new)) <= expected | {'"""Whether."""'}


def test_the_same_text_in_another_class_is_new() -> None:
    now = BEFORE.replace("class Door(Base, strong=1):", "class Gate(Base, strong=1):")
    assert {"width = 1", "return self.angle > 5", "class Gate(Base, strong=1):"} <= lines(BEFORE, now)
    assert not {"LIMIT = 3", "return n > LIMIT"} & lines(BEFORE, now)


def test_every_mutant_of_a_file_that_was_not_there_is_on_a_new_line() -> None:
    every = {line for each in everywhere("any.py", BEFORE) for line in each}
    of_nothing = {line for each in changed("", BEFORE) for line in each}
    assert {mutant.line for mutant in mutants(BEFORE)} <= every & of_nothing


def test_every_mutant_is_new_in_the_source_it_makes() -> None:
    """Nobody is passed over: what a mutant changes is found again as a change."""
    for mutant in mutants(BEFORE):
        assert changed(BEFORE, mutant.source), mutant.name


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    def git(*words: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", tmp_path, *who, *words], check=True, capture_output=True)

    git("init", "--quiet")
    (tmp_path / "old.py").write_text(BEFORE, encoding="utf-8")
    git("add", "old.py")
    git("commit", "--quiet", "--message", "one")
    return tmp_path


def test_a_file_is_compared_with_the_commit_and_one_that_is_new_is_new_as_a_whole(tree: Path) -> None:
    places = since("HEAD", tree)
    assert places("old.py", BEFORE.replace("LIMIT = 3", "LIMIT = 2")) == [range(2, 3)]
    assert places("old.py", BEFORE) == []
    assert places("new.py", "A = 1\n") == everywhere("new.py", "A = 1\n")


def test_what_git_does_not_know_is_refused_and_never_taken_for_unchanged(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for commit in ("0123456", "--all", ""):
        with pytest.raises(Unknown, match=f"Git knows no commit '{commit}' here"):
            since(commit, tree)
    places = since("HEAD", tree)
    (tree / ".git" / "HEAD").unlink()
    with pytest.raises(Unknown, match=r"Git cannot tell whether old\.py was there"):
        places("old.py", BEFORE)
    monkeypatch.setenv("PATH", str(tree))
    with pytest.raises(Unknown, match="There is no git here"):
        since("HEAD", tree)


def test_an_unknown_commit_is_one_sentence_and_no_run(tmp_path: Path) -> None:
    work = tmp_path / "work"
    done = CliRunner().invoke(main, ["--work", str(work), "mutations", "--since", "no-such-commit"])
    assert done.exit_code == 1
    assert "Git knows no commit 'no-such-commit' here" in done.output
    assert not work.exists()
