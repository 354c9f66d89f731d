"""Which tests in booted machines have one of their own: what one has set up, no other worker may set up again."""

import re

import pytest

from tests.system import conftest
from tests.system.conftest import FIRST, PARTS, OneMachineEach, machine_of

CUT = [(name, each) for name, parts in sorted(PARTS.items()) for each in parts]


@pytest.mark.parametrize(("name", "part"), CUT)
def test_a_part_of_a_long_file_has_a_machine_of_its_own(name: str, part: str) -> None:
    content = (conftest.HERE / f"{name}.py").read_text(encoding="utf-8")
    tests = re.findall(r"^def (test_\w+)", content, re.MULTILINE)
    machines = [machine_of(f"tests/system/{name}.py::{each}[keeper]") for each in tests]
    assert len(set(machines)) == 1 + len(PARTS[name]), "a part that is empty, or the whole file"
    assert machine_of(f"tests/system/{name}.py::{part}") != name


@pytest.mark.parametrize(
    ("nodeid", "machine"),
    [
        ("tests/system/test_faces.py::test_one", "test_faces"),
        ("tests/system/test_walls.py::test_one[a/b.py::c@test_door]", "test_walls"),
        ("tests/system/package/test_life.py::test_one", "package"),
        ("test_camera.py::test_one", "test_camera"),
    ],
)
def test_every_other_file_and_the_folder_of_the_package_have_their_own(nodeid: str, machine: str) -> None:
    assert machine_of(nodeid) == machine


def test_what_comes_first_is_there() -> None:
    assert all((conftest.HERE / name).exists() or (conftest.HERE / f"{name}.py").exists() for name in FIRST)


def test_work_is_handed_out_by_machine_whatever_file_it_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    handed = object.__new__(OneMachineEach)
    name, part = CUT[0]
    one, other, cut = (f"tests/system/{name}.py::{each}" for each in ("test_one", "test_other", part))
    assert handed._split_scope(one) == handed._split_scope(other) != handed._split_scope(cut)
    monkeypatch.setattr(conftest, "PARTS", {})  # seeded fault: a long file as one
    assert handed._split_scope(one) == handed._split_scope(cut)
