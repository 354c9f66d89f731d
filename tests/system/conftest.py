"""Tests in a booted machine: minutes, root and QEMU. They run when somebody names this folder (`make test-system`).

`make test` and `make check` name no folder or another one, and leave this one out.

Booting a machine and starting a door in it takes longer than most tests. So files that a resident's PIN is enough for
share one, in the order of ONE_DOOR; every other file has its own. Two workers have a machine each, and the longest work
comes first, so that neither is left with it at the end.
"""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.support.vm import RUNNING, last_words
from tests.support.vm_door import OnMachine
from tests.support.vm_resident import with_a_resident

HERE = Path(__file__).parent
LIMIT_S = 2400  # the first test of a checkout also builds the image
ONE_DOOR = ("test_door", "test_upgrade", "test_strained")
FIRST = (*ONE_DOOR, "test_faces", "test_broker", "test_at_rest", "package")


@pytest.fixture(scope="session")
def shared_door() -> Iterator[OnMachine]:
    with with_a_resident() as door:
        yield door


@pytest.fixture(scope="module")
def door(shared_door: OnMachine) -> OnMachine:
    """The door that several files share, well and shut as each of them begins."""
    shared_door.well()
    shared_door.close_the_door()
    return shared_door


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    named = [config.invocation_params.dir / argument.split("::")[0] for argument in config.args]
    asked = any(each == HERE or HERE in each.parents for each in (Path(os.path.normpath(each)) for each in named))
    return None if asked else collection_path == HERE or HERE in collection_path.parents or None


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook, and would come first
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            name = part(item)
            item.add_marker(pytest.mark.timeout(LIMIT_S))
            item.add_marker(pytest.mark.xdist_group(ONE_DOOR[0] if name in ONE_DOOR else name))
    items.sort(key=lambda item: FIRST.index(name) if (name := part(item)) in FIRST else len(FIRST))


def part(item: pytest.Item) -> str:
    """The file that a test stands in; the folder, for those of the package, which share a Debian."""
    return item.path.relative_to(HERE).parts[0].removesuffix(".py") if HERE in item.path.parents else ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With a failure comes what the machine said: nobody can boot the same one again."""
    report = yield
    if report.failed and HERE in item.path.parents:
        for machine in RUNNING:
            report.sections.extend(last_words(machine).items())
    return report
