"""An upgrade of a running door that cannot work, on a real machine: real dpkg, real units, and the version before back.

The package is today's checkout under a newer version whose report cannot be started by systemd, which no trial beside
the door can see. One that works is upgraded to in `test_install.py`.
"""

import subprocess
from pathlib import Path

import pytest

from device.edges import Room
from tests.support.vm_door import BOLT, OnMachine, unit
from tests.support.vm_resident import RIGHT
from tests.support.vm_upgrade import brought, ended, upgrading, version
from tools.deb.__main__ import build, project_version, source_date
from tools.vm.package import FOR, QUICK

pytestmark = pytest.mark.long
OLD, NEW = (FOR.version(each) for each in (project_version(), f"{project_version()}.1"))
_UNIT = f"usr/lib/systemd/system/{unit(Room.REPORT)}"


@pytest.fixture(scope="module")
def without_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package that calls itself a newer one, with a unit whose program ends at once."""
    out = tmp_path_factory.mktemp("without-report")
    newer = build(FOR, f"{project_version()}.1", out, source_date(), QUICK)
    tree = out / "tree"
    subprocess.run(["dpkg-deb", "--raw-extract", str(newer), str(tree)], check=True)
    lines = (tree / _UNIT).read_text().splitlines(keepends=True)
    assert sum(line.startswith("ExecStart=") for line in lines) == 1
    changed = ["ExecStart=/bin/false\n" if line.startswith("ExecStart=") else line for line in lines]
    (tree / _UNIT).write_text("".join(changed))
    packed = ["dpkg-deb", "--root-owner-group", *QUICK, "--build", str(tree), str(out / "package.deb")]
    subprocess.run(packed, check=True, capture_output=True)
    return out / "package.deb"


def test_a_version_of_which_a_room_does_not_start_is_followed_by_the_one_before(
    door: OnMachine, without_report: Path
) -> None:
    watch = door.lines.watch()
    upgrading(door, f"doorctl upgrade {brought(door, without_report)}")
    code, said = ended(door)
    assert code == 1
    assert f"{NEW} failed: After the upgrade did not start again: report; {OLD} was put back" in said
    assert version(door) == f"installed {OLD}"
    assert all(door.well()["rooms"].values())
    assert not any(change.high for change in watch.changes(BOLT))
    door.lets_in(RIGHT)
