"""The sum of every source that decides a log's figures, as it is now.

Rules kept here:
- A sum for each file, never one over all of them: whoever is refused is told which file changed.
- A pattern or module that names nothing is an error, for a log must not rest on sources that are not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from pkgutil import resolve_name

import grimp

from device.errors import Refusal
from tools.log_header.kinds import Kind

DONE = "what is done, as told by "
"""What the name of a function that tells what sources do begins with; the sha256 of its text is its sum."""
PACKAGE = "package "
"""What the name of an installed package begins with, where a file's path would stand; its version is its sum."""


class NoSource(Refusal, ValueError):
    """What is named as a source is not there."""


def sums(kind: Kind, root: Path) -> Mapping[str, str]:
    """Path below `root` (or package) of everything that decides, in order, and its sha256 (or version).

    Raises NoSource.
    """
    found = {path: of_file(root / path) for path in sorted(_paths(kind, root))}
    done = {DONE + name: sha256(resolve_name(name)().encode()).hexdigest() for name in kind.done}
    return found | done | {PACKAGE + name: version(name) for name in kind.packages}


def of_file(path: Path) -> str:
    """The sha256 of its bytes."""
    return sha256(path.read_bytes()).hexdigest()


def _paths(kind: Kind, root: Path) -> set[str]:
    paths = _imported(kind, root) if kind.modules else set()
    for pattern in kind.files:
        matched = {path.relative_to(root).as_posix() for path in root.glob(pattern) if path.is_file()}
        if not matched:
            msg = f"no file is called {pattern}, which decides the figures of a log"
            raise NoSource(msg)
        paths |= matched
    return paths


def _imported(kind: Kind, root: Path) -> set[str]:
    """The files of its modules and of all that they import of device and tools, also within functions."""
    graph = grimp.build_graph("device", "tools", cache_dir=None)
    found: set[str] = set()
    for module in kind.modules:
        if module not in graph.modules:
            msg = f"there is no module {module}, which decides the figures of a log"
            raise NoSource(msg)
        for each in {module} | graph.find_descendants(module):
            found |= {each} | graph.find_upstream_modules(each)
    if kind.within:
        found = {name for name in found if any(f"{name}.".startswith(f"{each}.") for each in kind.within)}
    return {_file(name, root) for name in found}


def _file(module: str, root: Path) -> str:
    path = Path(*module.split("."))
    whole = path / "__init__.py" if (root / path).is_dir() else path.with_suffix(".py")
    return whole.as_posix()
