"""What is in the built files: the same bytes twice, the right processor, and what Debian's own checker thinks of it."""

import filecmp
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.system.package.conftest import BOOKWORM, EPOCH
from tools.deb import elf
from tools.deb.__main__ import build
from tools.deb.targets import PROCESSORS, RELEASES, Target

ARM = [Target(RELEASES[name], PROCESSORS["arm64"]) for name in sorted(RELEASES)]


def test_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = (build(BOOKWORM, "0.1.0", tmp_path / name, EPOCH, ("-Znone",)) for name in ("one", "two"))
    assert one.name == two.name
    assert filecmp.cmp(one, two, shallow=False)


@pytest.mark.parametrize("target", ARM, ids=lambda target: target.name)
def test_package_for_arm64_is_arm64_through_and_through(target: Target, tmp_path: Path) -> None:
    package = build(target, "0.1.0", tmp_path, EPOCH, ("-Znone",))
    subprocess.run(["dpkg-deb", "--extract", str(package), str(tmp_path / "tree")], check=True)
    machines = set()
    for path in (tmp_path / "tree").rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if elf.is_elf(file.read(4)):
                    machines.add(elf.read(path.read_bytes(), path.name).machine)
    assert machines == {target.processor.elf}
    listed = subprocess.run(["dpkg-deb", "--contents", str(package)], capture_output=True, text=True, check=True)
    assert {line.split()[1] for line in listed.stdout.splitlines()} == {"root/root"}
    shutil.rmtree(tmp_path / "tree")


def test_debians_checker_finds_no_error(tmp_path: Path) -> None:
    if not shutil.which("lintian"):
        pytest.fail("lintian is missing: apt-get install lintian", pytrace=False)
    # dpkg-deb's own compression: Debian's checker wants one that Debian uses, and level 0 is quick.
    package = build(BOOKWORM, "0.1.0", tmp_path, EPOCH, ("-Zxz", "-z0"))
    said = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error", str(package)], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stdout + said.stderr
