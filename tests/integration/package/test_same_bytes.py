"""Two builds of one checkout are one file. Without the wheels, which are unpacked in order and not changed.

The same with them: tests/system/package.
"""

import hashlib
import shutil
from pathlib import Path

import pytest

from tools.deb.__main__ import pack
from tools.deb.targets import PROCESSORS, RELEASES, Target

pytestmark = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="dpkg-deb is missing: this is no Debian")
EPOCH = 1_700_000_000
JETSON = Target(RELEASES["noble"], PROCESSORS["arm64"])


def sum_of(out: Path, epoch: int = EPOCH, version: str = "0.1.0") -> str:
    package = pack(JETSON, version, (), out, epoch, ("-Znone",))
    return hashlib.sha256(package.read_bytes()).hexdigest()


def test_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    assert sum_of(tmp_path / "one") == sum_of(tmp_path / "two")


@pytest.mark.parametrize(("epoch", "version"), [(EPOCH + 1, "0.1.0"), (EPOCH, "0.2.0")])
def test_other_inputs_give_other_bytes(epoch: int, version: str, tmp_path: Path) -> None:
    assert sum_of(tmp_path / "one") != sum_of(tmp_path / "two", epoch, version)
