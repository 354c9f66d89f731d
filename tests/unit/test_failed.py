"""What failed in either of two runs is asked once more, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support import failed

PREFIX = "tests/unit/"


def kept(folder: Path, *names: str) -> Path:
    """A cache folder of pytest in which these tests failed."""
    where = folder / failed.LIST
    where.parent.mkdir(parents=True)
    where.write_text(json.dumps(dict.fromkeys(names, True)), "utf-8")
    return folder


def names(folder: Path) -> list[str]:
    return sorted(json.loads((folder / failed.LIST).read_text("utf-8")))


def test_what_failed_in_either_run_is_on_one_list(tmp_path: Path) -> None:
    whole = kept(tmp_path / "whole", "tests/browser/a.py::test_a")
    part = kept(tmp_path / "part", "tests/unit/b.py::test_b[x y]")
    failed.join(whole, part, PREFIX)
    assert names(whole) == ["tests/browser/a.py::test_a", "tests/unit/b.py::test_b[x y]"]


def test_a_unit_that_passes_by_now_is_on_it_no_longer(tmp_path: Path) -> None:
    whole = kept(tmp_path / "whole", "tests/browser/a.py::test_a", "tests/unit/b.py::test_b")
    failed.join(whole, kept(tmp_path / "part"), PREFIX)
    assert names(whole) == ["tests/browser/a.py::test_a"]


def test_a_unit_that_failed_alone_makes_the_list(tmp_path: Path) -> None:
    failed.join(tmp_path / "whole", kept(tmp_path / "part", "tests/unit/b.py::test_b"), PREFIX)
    assert names(tmp_path / "whole") == ["tests/unit/b.py::test_b"]


def test_where_nothing_failed_no_list_is_made(tmp_path: Path) -> None:
    failed.join(tmp_path / "whole", tmp_path / "part", PREFIX)
    assert list(tmp_path.iterdir()) == []
