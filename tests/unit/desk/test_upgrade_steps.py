"""The steps of an upgrade against a machine that is a few lines: what is installed at the end, whatever fails."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from device.desk.upkeep import restarting, upgrade
from device.desk.upkeep.upgrade import Package, UpgradeFault, UpgradeRefused
from device.desk.upkeep.upgrade_kept import control_text
from device.edges import PROCESSES

NEW = Package(Path("new.deb"), "doorward", "2", "arm64", 1000, "ab" * 32)


@dataclass
class SimulatedHost:
    """A machine with version 1; what is set fails."""

    architecture: str = "arm64"
    version: str = "1"
    free: int = 10_000
    trial: str | None = None
    cannot_keep: bool = False
    breaks: dict[str, str] = field(default_factory=dict)  # what installing a version says
    ill: set[str] = field(default_factory=set)  # versions whose rooms do not come up
    systemd: bool = True

    def installed(self) -> str:
        return self.version

    def is_newer(self, version: str, than: str) -> bool:
        return int(version) > int(than)

    def free_bytes(self) -> int:
        return self.free

    def keep_installed(self) -> Path:
        if self.cannot_keep:
            raise UpgradeFault("it cannot be kept")
        return Path(f"kept-{self.version}.deb")

    def try_out(self, package: Package) -> str | None:
        return self.trial

    def install(self, file: Path, back_to: str | None = None) -> str | None:
        self.version = back_to or NEW.version
        return self.breaks.get(self.version)

    def well(self, *, patiently: bool) -> bool:
        return self.systemd and self.version not in self.ill

    def runs(self) -> bool:
        return self.systemd


def upgraded(host: SimulatedHost, package: Package = NEW, sha256: str | None = None) -> str:
    return upgrade.perform(host, package, sha256, lambda _: None)


def test_well_door_is_upgraded() -> None:
    host = SimulatedHost()
    assert upgraded(host, sha256=NEW.sha256.upper()) == "Upgraded from 1 to 2; every room of the door is up."
    assert host.version == "2"


@pytest.mark.parametrize(
    ("package", "sha256", "sentence"),
    [
        (dataclasses.replace(NEW, name="another"), None, "is the package another"),
        (dataclasses.replace(NEW, architecture="amd64"), None, "is for amd64, and this door is arm64"),
        (dataclasses.replace(NEW, version="1"), None, "not newer than 1"),
        (dataclasses.replace(NEW, version="0"), None, "not newer than 1"),
        (dataclasses.replace(NEW, size_bytes=5000), None, "too full"),
        (NEW, "cd" * 32, "another SHA-256"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_tried(
    package: Package, sha256: str | None, sentence: str
) -> None:
    host = SimulatedHost(trial="tried")
    with pytest.raises(UpgradeRefused, match=sentence):
        upgraded(host, package, sha256)
    assert host.version == "1"


def test_failed_trial_leaves_the_old_version() -> None:
    host = SimulatedHost(trial="the strike did not let go.")
    with pytest.raises(UpgradeRefused, match=r"did not pass its trial: the strike did not let go; 1 runs on unchanged"):
        upgraded(host)
    assert host.version == "1"


def test_trial_is_what_keeps_a_bad_version_out() -> None:
    host = SimulatedHost(trial=None)  # the same package, with the trial taken out
    upgraded(host)
    assert host.version == "2"


def test_without_a_way_back_nothing_is_installed() -> None:
    host = SimulatedHost(cannot_keep=True)
    with pytest.raises(UpgradeFault, match="cannot be kept"):
        upgraded(host)
    assert host.version == "1"


@pytest.mark.parametrize("host", [SimulatedHost(breaks={"2": "dpkg said no"}), SimulatedHost(ill={"2"})])
def test_version_that_does_not_come_up_is_followed_by_the_one_before(host: SimulatedHost) -> None:
    with pytest.raises(UpgradeFault, match=r"version 2 failed: .*; 1 was put back$"):
        upgraded(host)
    assert host.version == "1"


def test_person_is_told_what_to_type_if_even_the_way_back_fails() -> None:
    host = SimulatedHost(breaks={"2": "no", "1": "the disk is gone"})
    with pytest.raises(
        UpgradeFault, match=r"1 could not be put back: the disk is gone. Try: DOORWARD_ROLLBACK=1 dpkg -i kept-1.deb"
    ):
        upgraded(host)


def test_door_that_was_not_well_before_is_not_put_back_for_it() -> None:
    host = SimulatedHost(ill={"1", "2"})
    assert "was not well before" in upgraded(host)
    assert host.version == "2"


def test_machine_without_a_door_is_told_to_set_one_up() -> None:
    assert "doorctl setup" in upgraded(SimulatedHost(systemd=False))


def test_kept_control_file_says_what_the_package_said() -> None:
    said = "Package: doorward\nStatus: install ok installed\nVersion: 1\nDescription: a lock\n more\n"
    assert control_text(said) == "Package: doorward\nVersion: 1\nDescription: a lock\n more\n"


def test_rooms_start_anew_in_their_order_and_one_that_fails_keeps_no_other_from_it() -> None:
    done: list[str] = []

    def systemctl(words: tuple[str, ...]) -> bool:
        if words[0] == "is-failed":
            return False
        done.append(words[-1])
        return words[-1] != "doorward-lock.service"

    assert restarting.restart_all(systemctl) == ["lock"]
    assert done == [f"doorward-{room}.service" for room in PROCESSES]


def test_room_that_the_version_before_let_fail_is_started_and_one_that_somebody_stopped_is_not() -> None:
    states = {f"doorward-{room}.service": "active" for room in PROCESSES}
    failed, stopped = "doorward-report.service", "doorward-eye.service"
    states |= {failed: "failed, and started too often", stopped: "inactive"}

    def systemctl(words: tuple[str, ...]) -> bool:
        """As systemd 252: `try-restart` leaves alone what does not run; a limit that was hit has to be reset."""
        verb, unit = words[0], words[-1]
        if verb == "is-failed":
            return states[unit].startswith("failed")
        if verb == "reset-failed":
            states[unit] = "inactive"
        if verb == "start":
            states[unit] = states[unit] if states[unit].startswith("failed") else "active"
            return states[unit] == "active"
        return True

    assert restarting.restart_all(systemctl) == []
    assert states.pop(stopped) == "inactive"
    assert set(states.values()) == {"active"}
