"""What lies where in the package, with which rights, and what its control file says."""

import subprocess
from pathlib import Path

import pytest

from tests.support.room_process import CHECKOUT
from tools.deb import control, tree
from tools.deb.targets import PROCESSORS, RELEASES, Target

BOOKWORM_ARM = Target(RELEASES["bookworm"], PROCESSORS["arm64"])


@pytest.fixture
def laid(tmp_path: Path) -> Path:
    """The tree without any wheel."""
    root = tmp_path / "root"
    tree.lay(BOOKWORM_ARM, "0.1.0", CHECKOUT, (), root, 1_700_000_000)
    return root


def test_every_unit_user_folder_and_rule_of_the_repository_is_in_its_place(laid: Path) -> None:
    source = CHECKOUT / "systemd"
    names = {path.name for path in source.rglob("*") if path.is_file()}
    assert names <= {path.name for path in laid.rglob("*") if path.is_file()}
    for unit in (source / "system").glob("doorward*"):
        if unit.is_file():
            assert (laid / "usr/lib/systemd/system" / unit.name).read_bytes() == unit.read_bytes()
    for place in (
        "usr/lib/sysusers.d/doorward.conf",
        "usr/lib/tmpfiles.d/doorward.conf",
        "usr/lib/udev/rules.d/60-doorward.rules",
    ):
        assert (laid / place).is_file()
    assert "doorward.target" in tree.units(laid)


def test_package_brings_neither_the_managers_side_nor_doorsim_nor_tests(laid: Path) -> None:
    site = laid / "usr/lib/doorward/lib/python3.11/site-packages"
    assert {path.name for path in site.iterdir()} == {"device", "doorward-0.1.0.dist-info"}
    assert {path.name for path in (laid / "usr/bin").iterdir()} == {"doorctl"}
    assert not list(laid.rglob("*.pyc"))
    assert (site / "device/models/manifest.toml").is_file()


def test_everything_is_readable_and_only_programs_and_folders_may_be_run(laid: Path) -> None:
    (laid / "usr/lib/doorward/pyvenv.cfg").chmod(0o600)
    tree.date_and_open(laid, 1_700_000_000)
    for path in (laid, *laid.rglob("*")):
        state = path.lstat()
        assert state.st_mtime == 1_700_000_000
        if not path.is_symlink():
            runs = path.is_dir() or path.name == "doorctl"
            assert state.st_mode & 0o7777 == (0o755 if runs else 0o644), path
    assert (laid / "usr/lib/doorward/bin/python").readlink() == Path("/usr/bin/python3.11")


def test_control_names_one_python_and_what_the_wheels_need(laid: Path) -> None:
    text = control.control(BOOKWORM_ARM, "0.1.0", {"libc6", "zlib1g"}, laid)
    fields = dict(line.split(": ", 1) for line in text.splitlines() if not line.startswith(" "))
    assert fields["Version"] == "0.1.0~deb12"
    assert fields["Architecture"] == "arm64"
    assert {"python3 (>= 3.11~)", "python3 (<< 3.12~)", "libc6 (>= 2.34)", "zlib1g"} <= set(
        fields["Depends"].split(", ")
    )
    assert "python3-picamera2" in fields["Recommends"]
    amd64 = control.control(Target(RELEASES["trixie"], PROCESSORS["amd64"]), "0.1.0", set(), laid)
    assert "picamera2" not in amd64
    assert "python3.13" in amd64
    jetson = control.control(Target(RELEASES["noble"], PROCESSORS["arm64"]), "0.1.0", set(), laid)
    assert "Version: 0.1.0~ubuntu24.04\n" in jetson
    assert "python3 (>= 3.12~), python3 (<< 3.13~)" in jetson
    assert "picamera2" not in jetson


def test_scripts_are_posix_shell_with_the_units_filled_in(laid: Path) -> None:
    control.write(laid, "Package: doorward\n", CHECKOUT / "tools/deb/scripts", tree.units(laid))
    for name in control.SCRIPTS:
        script = laid / "DEBIAN" / name
        assert "@" not in script.read_text()
        assert script.stat().st_mode & 0o777 == 0o755
        subprocess.run(["sh", "-n", str(script)], check=True)
    assert "usr/bin/doorctl" in (laid / "DEBIAN/md5sums").read_text()


@pytest.mark.parametrize("release", sorted(RELEASES))
@pytest.mark.parametrize("processor", sorted(PROCESSORS))
def test_every_target_has_a_lock_with_hashes_and_no_address(release: str, processor: str) -> None:
    target = Target(RELEASES[release], PROCESSORS[processor])
    lock = (CHECKOUT / "requirements" / f"device-{target.name}.txt").read_text()
    assert "--hash=sha256:" in lock
    assert "://" not in lock
    assert "\nai-edge-litert==" in lock
    # Python 3.11 keeps numpy 1: Raspberry Pi OS bookworm's own packages, picamera2 among them, are built for it.
    assert ("numpy==1." in lock) == (release == "bookworm")
