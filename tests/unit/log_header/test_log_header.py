"""What a log says of its sources is what they are: each of them, those imported in between too, and read as written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.anonymity import behaviour, lock
from tools.anonymity.acts import Act
from tools.log_header.header import lines, read
from tools.log_header.kinds import KINDS, Kind
from tools.log_header.sources import DONE, PACKAGE, NoSource, sums

ROOT = Path(__file__).resolve().parents[3]


def test_what_is_written_is_read() -> None:
    sources = {"device/lock/machine.py": "ab" * 32, "package numpy": "1.26.4"}
    told = read("\n".join([*lines(sources), "", "| a table: | 5 |", "source: cd another"]))
    assert told.sources == sources
    assert told.date


@pytest.mark.exhaustive(1)
@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_kind_finds_its_sources(name: str) -> None:
    found = sums(KINDS[name], ROOT)
    assert all((ROOT / path).is_file() or path.startswith((PACKAGE, DONE)) for path in found)
    assert len([path for path in found if path.startswith("device/")]) >= 9
    assert any(path.startswith("package ") for path in found)


@pytest.mark.slow
def test_what_is_imported_indirectly_decides_too() -> None:
    """The attackers read the product's own messages, which they import by way of other modules."""
    assert {"device/report/teller.py", "device/report/envelope.py"} <= sums(KINDS["anonymity"], ROOT).keys()
    assert {"device/eye/embedder.py", "models/sface.tflite"} <= sums(KINDS["accuracy"], ROOT).keys()
    assert "device/eye/attack/judge.py" in sums(KINDS["attack-lab"], ROOT)


def test_lock_counts_for_the_attackers_by_what_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """The attackers move the real lock, and see nothing of it but what follows from each act."""
    before = sums(KINDS["anonymity"], ROOT)
    assert not [path for path in before if path.startswith("device/lock/machine")]
    real = lock.consequences
    monkeypatch.setattr(
        behaviour,
        "consequences",
        lambda act, *, dark: real(act, dark=dark)[: None if act is not Act.CARD or dark else -1],
    )
    after = sums(KINDS["anonymity"], ROOT)
    assert [path for path in before if before[path] != after[path]] == [f"{DONE}tools.anonymity.behaviour:told"]


def test_another_byte_is_another_sum(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"one")
    before = sums(Kind(files=("*.txt",)), tmp_path)
    (tmp_path / "a.txt").write_bytes(b"two")
    assert before.keys() == {"a.txt"}
    assert sums(Kind(files=("*.txt",)), tmp_path) != before


def test_a_source_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoSource, match=r"no file is called \*\.txt"):
        sums(Kind(files=("*.txt",)), tmp_path)
    with pytest.raises(NoSource, match=r"no module tools\.weather"):
        sums(Kind(modules=("tools.weather",)), ROOT)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no date and no commit"),
        ("date: today\n\ncommit: 0123456", "no date and no commit"),
        ("date: today\ncommit: 0123456\nsource: abc", "names no source"),
    ],
)
def test_a_header_that_says_too_little_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(text)


@pytest.mark.parametrize(
    ("commit", "clean"),
    [("0123456", "0123456"), ("0123456-dirty", None), ("0123456 with uncommitted changes", None), ("as in 0123", None)],
)
def test_only_a_commit_and_nothing_beside_it_is_one(commit: str, clean: str | None) -> None:
    assert read(f"date: today\ncommit: {commit}").clean_commit == clean
