"""Tests in a booted machine: minutes, root and QEMU. They run when somebody names this folder (`make test-system`).

`make test` and `make check` name no folder or another one, and leave this one out.
"""

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LIMIT_S = 1500  # the first test of a checkout also builds the image


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    named = [config.invocation_params.dir / argument.split("::")[0] for argument in config.args]
    asked = any(each == HERE or HERE in each.parents for each in (Path(os.path.normpath(each)) for each in named))
    return None if asked else collection_path == HERE or HERE in collection_path.parents or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(LIMIT_S))
