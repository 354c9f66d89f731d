"""The health check before an upgrade runs on what lies in the package: nothing that it imports may be missing there."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

import pytest

from tools.deb.tree import CHECK

CHECKOUT = Path(__file__).resolve().parents[3]
OF_THE_CHECKOUT = ("tools", "provisioning")  # device/ is in the package as a whole


def imported(path: Path) -> set[str]:
    """The files of `OF_THE_CHECKOUT` that a module needs to be imported; what a function imports is its own affair."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in OF_THE_CHECKOUT:
            found |= set(_files([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]))
        if isinstance(node, ast.Import):
            found |= set(_files(alias.name for alias in node.names if alias.name.split(".")[0] in OF_THE_CHECKOUT))
    return found


def _files(modules: Iterable[str]) -> Iterable[str]:
    for module in modules:
        for name in (f"{module.replace('.', '/')}.py", f"{module.replace('.', '/')}/__init__.py"):
            if (CHECKOUT / name).exists():
                yield name


@pytest.mark.parametrize("name", CHECK)
def test_what_it_imports_is_in_the_package(name: str) -> None:
    assert imported(CHECKOUT / name) <= set(CHECK)


def test_fault_a_module_that_is_left_out_is_found() -> None:
    """Seen: the simulator's client began to import another module, which nothing put into the package."""
    without = set(CHECK) - {"tools/simulator/world.py"}
    assert any(not imported(CHECKOUT / name) <= without for name in without)
