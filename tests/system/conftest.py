"""Tests in a booted machine: minutes, root and QEMU. They run when somebody names this folder (`make test-system`).

`make test` and `make check` name no folder or another one, and leave this one out.

Booting a machine and starting a door in it takes longer than most tests. So files that a resident's PIN is enough for
begin where one such machine was frozen (`tests.support.vm_resident`). Each has its own from there on, and long files
are cut in two (PARTS). Each worker has a machine at a time, and the longest work comes first, so that none is left with
it at the end.
"""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # xdist has no type information
from xdist.workermanage import WorkerController  # type: ignore[import-untyped]  # as above

from tests.support.vm import RUNNING, last_words
from tests.support.vm_door import OnMachine
from tests.support.vm_resident import with_a_resident

HERE = Path(__file__).parent
LIMIT_S = 3600  # the first test of a checkout also builds the image
# Tests of a file that have a machine of their own: by the beginning of their names.
PARTS = {
    "test_door": ("test_a_room_killed",),
    "test_page": ("test_the_audit_of_the_network", "test_seeded_fault_a_socket"),
    "test_strained": ("test_a_room_over_its_memory",),
}
FIRST = (
    "test_install",
    "test_faces",
    "test_page",
    "test_door",
    "test_broker",
    "test_strained",
    "package",
    "test_walls",
    "test_camera",
)


@pytest.fixture(scope="module")
def door() -> Iterator[OnMachine]:
    """A door with one resident, as it was when somebody had just moved in."""
    with with_a_resident() as made:
        yield made


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: in `make long`, not in `make test-system`: what other tests show as well")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    named = [config.invocation_params.dir / argument.split("::")[0] for argument in config.args]
    asked = any(each == HERE or HERE in each.parents for each in (Path(os.path.normpath(each)) for each in named))
    return None if asked else collection_path == HERE or HERE in collection_path.parents or None


class OneMachineEach(LoadScopeScheduling):  # type: ignore[misc]  # as above
    """Hands out machines, not files. xdist's own groups are no help: pytest 9.2 does not read what xdist 3.8 writes."""

    def _split_scope(self, nodeid: str) -> str:
        return machine_of(nodeid)

    def _reschedule(self, node: WorkerController) -> None:
        """Give a worker its next machine's tests when one test of this one's is left, which it begins only then.

        xdist does so when two are left. Of some files two are a quarter of an hour, and the next file waited for that
        worker while others had nothing to do.
        """
        if self.workqueue and self._pending_of(self.assigned_work.get(node, {})) > 1:
            return
        super()._reschedule(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneMachineEach | None:
    return OneMachineEach(config, log) if config.getoption("dist") == "loadgroup" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(LIMIT_S))
    items.sort(key=lambda item: FIRST.index(name) if (name := part(item)) in FIRST else len(FIRST))


def part(item: pytest.Item) -> str:
    """The file that a test stands in; the folder, for those of the package, which share a Debian."""
    return item.path.relative_to(HERE).parts[0].removesuffix(".py") if HERE in item.path.parents else ""


def machine_of(nodeid: str) -> str:
    """The machine that a test needs, by its id: its file's, its folder's, or that of a part of its file."""
    place, _, test = nodeid.partition("::")
    name = place.split(f"{HERE.name}/", 1)[-1].split("/")[0].removesuffix(".py")
    return next((f"{name} {each}" for each in PARTS.get(name, ()) if test.startswith(each)), name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With a failure comes what the machine said: nobody can boot the same one again."""
    report = yield
    if report.failed and HERE in item.path.parents:
        for machine in RUNNING:
            report.sections.extend(last_words(machine).items())
    return report
