"""What set-up switches for the machine as a whole: systemd itself understands it, and nobody else's file is touched."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from device import config
from device.config.tables import Config
from device.desk.setup import writing
from device.desk.upkeep import whole_machine
from device.paths import Paths
from tools.deb.tree import FOLDER_PLACES
from tools.units.files import FOLDER, parse

PROGRAM = shutil.which("systemctl")
REAL, SIMULATED = config.parse("", without_id=True), config.parse('[lock]\nboard = "sim"\n', without_id=True)
# systemd 252, src/login/logind-gperf.gperf: what a key or a lid may do by itself.
ACTS_BY_ITSELF = {"HandlePowerKey", "HandleRebootKey", "HandleSuspendKey", "HandleHibernateKey", "HandleLidSwitch"}


def written(root: Path, *, watchdog: bool = True, chosen: Config = REAL) -> set[Path]:
    """The places of these files that are there after set-up."""
    writing.write(writing.of_the_machine(chosen, Paths(root), watchdog=watchdog))
    return {place for place in whole_machine.PLACES if (root / place).exists()}


def test_the_watchdog_is_the_one_that_the_package_advises(tmp_path: Path) -> None:
    advised = parse("50-doorward.conf", (FOLDER / "system.conf.d" / "50-doorward.conf").read_text(encoding="utf-8"))
    written(tmp_path)
    ours = parse("50-doorward.conf", (tmp_path / whole_machine.WATCHDOG).read_text(encoding="utf-8"))
    assert ours.settings == advised.settings
    assert ours.one("Manager", "RuntimeWatchdogSec") == "10"


def test_a_machine_without_a_watchdog_or_with_a_no_gets_everything_else(tmp_path: Path) -> None:
    assert written(tmp_path) == set(whole_machine.PLACES)
    assert whole_machine.feeds_watchdog(tmp_path)
    assert written(tmp_path, watchdog=False) == set(whole_machine.PLACES) - {whole_machine.WATCHDOG}
    assert not whole_machine.feeds_watchdog(tmp_path)


def test_a_simulated_door_asks_nothing_of_the_machine_and_takes_back_what_stood(tmp_path: Path) -> None:
    assert written(tmp_path, chosen=SIMULATED) == set()
    written(tmp_path)
    assert written(tmp_path, chosen=SIMULATED) == set()


def test_no_key_and_no_lid_acts_by_itself(tmp_path: Path) -> None:
    written(tmp_path)
    login = parse("logind", (tmp_path / whole_machine.LOGIN).read_text(encoding="utf-8"))
    ignored = {key for (_, key), values in login.settings.items() if values == ("ignore",)}
    assert ignored >= ACTS_BY_ITSELF | {f"{key}LongPress" for key in ACTS_BY_ITSELF if key.endswith("Key")}
    assert {section for section, _ in login.settings} == {"Login"}


def test_every_setting_is_one_that_the_manual_knows(tmp_path: Path) -> None:
    """A word that systemd does not know is a warning in its log, and no wall."""
    pages = [Path(f"/usr/share/man/man5/{page}.5.gz") for page in ("logind.conf", "systemd-system.conf")]
    found = [page for page in pages if page.exists()]
    if len(found) != len(pages):
        pytest.skip("needs systemd's manual pages")
    manual = "".join(
        subprocess.run(["zcat", page], capture_output=True, text=True, check=True).stdout for page in found
    )
    written(tmp_path)
    for place in (whole_machine.WATCHDOG, whole_machine.BURST, whole_machine.LOGIN):
        for _, key in parse(place.name, (tmp_path / place).read_text(encoding="utf-8")).settings:
            assert f"{key}=" in manual, key


def test_sysrq_is_set_after_the_systems_own_setting(tmp_path: Path) -> None:
    written(tmp_path)
    assert (tmp_path / whole_machine.SYSRQ).read_text(encoding="utf-8").splitlines()[1:] == ["kernel.sysrq = 0"]
    assert whole_machine.SYSRQ.name > "50-default.conf"


@pytest.mark.skipif(PROGRAM is None, reason="needs systemctl: apt-get install systemd")
@pytest.mark.parametrize("set_up", [True, False])
def test_ctrl_alt_del_is_masked_for_systemd_itself(tmp_path: Path, *, set_up: bool) -> None:
    """Beside the system's own file, which is a second name of reboot.target."""
    units = tmp_path / "usr/lib/systemd/system"
    units.mkdir(parents=True)
    (units / "reboot.target").write_text("[Unit]\nDescription=Reboot\n", encoding="utf-8")
    (units / "ctrl-alt-del.target").symlink_to("reboot.target")
    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    if set_up:
        written(tmp_path)
    words = [str(PROGRAM), f"--root={tmp_path}", "is-enabled", "ctrl-alt-del.target", "reboot.target"]
    said = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False).stdout.split()
    assert said == (["masked", "static"] if set_up else ["alias", "static"])


@pytest.mark.parametrize("place", whole_machine.PLACES, ids=str)
def test_a_file_of_somebody_elses_stays_as_it_is(tmp_path: Path, place: Path) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text("# mine\n", encoding="utf-8")
    written(tmp_path)
    assert path.read_text(encoding="utf-8") == "# mine\n"
    written(tmp_path, chosen=SIMULATED)
    assert path.read_text(encoding="utf-8") == "# mine\n"
    path.unlink()
    path.symlink_to("/dev/null")
    written(tmp_path)
    assert path.is_symlink()
    written(tmp_path, chosen=SIMULATED)
    assert path.is_symlink()


def test_the_package_itself_switches_nothing_for_the_whole_machine() -> None:
    """A machine on which somebody only installs it is no door yet."""
    assert not {folder.name for folder in FOLDER.iterdir()} & {"logind.conf.d", "sysctl.d"}
    assert "system.conf.d" not in FOLDER_PLACES
    assert not re.search("ctrl-alt-del", "".join(path.name for path in FOLDER.rglob("*")))
