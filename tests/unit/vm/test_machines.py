"""Which tests in booted machines share one: what one file sets up, no other worker may set up again."""

import pytest

from tests.system import conftest
from tests.system.conftest import ONE_DOOR, OneMachineEach, machine_of


def test_files_that_a_resident_is_enough_for_share_a_machine() -> None:
    ids = [f"tests/system/{name}.py::test_a_door[keeper]" for name in ONE_DOOR]
    assert len({machine_of(each) for each in ids}) == 1


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


def test_work_is_handed_out_by_machine_whatever_file_it_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    handed = object.__new__(OneMachineEach)
    first, second = (f"tests/system/{name}.py::test_one" for name in ONE_DOOR[:2])
    assert handed._split_scope(first) == handed._split_scope(second)
    monkeypatch.setattr(conftest, "ONE_DOOR", ())  # seeded fault: every file for itself
    assert handed._split_scope(first) != handed._split_scope(second)
