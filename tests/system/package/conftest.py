"""Packages of this checkout, uncompressed, and a Debian where the first of them is installed."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.package_root import Root, lacks
from tools.deb.__main__ import build
from tools.deb.targets import PROCESSORS, RELEASES, Target

EPOCH = 1_700_000_000
BOOKWORM = Target(RELEASES["bookworm"], PROCESSORS["amd64"])


@dataclass(frozen=True)
class Made:
    """Two versions, as files."""

    old: Path
    new: Path


def changed(package: Path, out: Path, change: Callable[[Path], None]) -> Path:
    """`package` with something changed in its unpacked tree."""
    tree = out.with_suffix(".tree")
    subprocess.run(["dpkg-deb", "--raw-extract", str(package), str(tree)], check=True)
    change(tree)
    subprocess.run(["dpkg-deb", "-Znone", "--build", str(tree), str(out)], check=True, capture_output=True)
    subprocess.run(["rm", "-rf", str(tree)], check=True)
    return out


def _no_pin_is_right(tree: Path) -> None:
    path = next(tree.glob("usr/lib/doorward/lib/python3.*/site-packages/device/keeper/match.py"))
    whole = path.read_text()
    assert "    right = alike(" in whole
    path.write_text(whole.replace("    right = alike(", "    right = False and alike("))


def _postinst_fails(tree: Path) -> None:
    path = tree / "DEBIAN" / "postinst"
    path.write_text(path.read_text().replace("set -e\n", "set -e\necho 'doorward: seeded' >&2\nexit 1\n", 1))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    if reason := lacks():
        pytest.fail(reason, pytrace=False)
    out = tmp_path_factory.mktemp("packages")
    old, new = (build(BOOKWORM, version, out, EPOCH, ("-Znone",)) for version in ("0.1.0", "0.2.0"))
    return Made(old, new)


@pytest.fixture
def opens_for_nobody(made: Made, tmp_path: Path) -> Path:
    """The second version with a keeper that takes every PIN for wrong: the trial has to see it."""
    return changed(made.new, tmp_path / "opens-for-nobody.deb", _no_pin_is_right)


@pytest.fixture
def does_not_start(made: Made, tmp_path: Path) -> Path:
    """The second version with rooms that are well and a postinst that is not: the trial cannot see it."""
    return changed(made.new, tmp_path / "does-not-start.deb", _postinst_fails)


@pytest.fixture(scope="session")
def installed_once(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Root:
    root = Root.make(tmp_path_factory.mktemp("roots") / "first")
    ended = root.run("dpkg", "--install", root.bring(made.old))
    assert ended.code == 0, ended.said
    return root


@pytest.fixture
def root(installed_once: Root, tmp_path: Path) -> Iterator[Root]:
    """A Debian with the old version, for one test."""
    with installed_once.changeable(tmp_path / "root") as own:
        yield own
