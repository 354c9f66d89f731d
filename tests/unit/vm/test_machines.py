"""Which tests in booted machines share one: what one file sets up, no other worker may set up again."""

import pytest

from tests.system import conftest
from tests.system.conftest import SHARES, OneMachineEach, machine_of


@pytest.mark.parametrize(("guest", "host"), sorted(SHARES.items()))
def test_files_that_a_resident_is_enough_for_share_a_machine(guest: str, host: str) -> None:
    machines = {machine_of(f"tests/system/{name}.py::test_a_door[keeper]") for name in (guest, host)}
    assert machines == {host}
    assert all((conftest.HERE / f"{name}.py").exists() for name in (guest, host))


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
    first, second = (f"tests/system/{name}.py::test_one" for name in next(iter(SHARES.items())))
    assert handed._split_scope(first) == handed._split_scope(second)
    monkeypatch.setattr(conftest, "SHARES", {})  # seeded fault: every file for itself
    assert handed._split_scope(first) != handed._split_scope(second)
