"""`doorctl upgrade` on a Debian of its own: real dpkg, real packages, and a whole simulated door for each trial."""

import signal
import subprocess
import time
from pathlib import Path

from tests.support.package_root import Root
from tests.system.package.conftest import Made
from tools.vm.image import BROUGHT

OLD, NEW = "installed 0.1.0~deb12", "installed 0.2.0~deb12"
NOWHERE = f"{BROUGHT}/none.deb"


def test_newer_version_is_tried_and_installed_and_the_older_one_can_be_put_back(root: Root, made: Made) -> None:
    ended = root.run("doorctl", "upgrade", root.bring(made.new))
    assert ended.code == 0, ended.said
    assert "Trying version 0.2.0~deb12" in ended.said
    assert root.version() == NEW
    assert not root.path("/var/cache/doorward/staging").exists()

    refused = root.run("dpkg", "--install", root.bring(made.old))
    assert refused.code != 0
    assert "0.1.0~deb12 is older than 0.2.0~deb12" in refused.said
    assert root.version() == NEW

    back = root.run("doorctl", "upgrade", "--back")
    assert back.code == 0, back.said
    assert root.version() == OLD
    assert root.run("dpkg", "--verify", "doorward").said == ""


def test_version_that_opens_for_nobody_is_never_installed(root: Root, opens_for_nobody: Path) -> None:
    ended = root.run("doorctl", "upgrade", root.bring(opens_for_nobody))
    assert ended.code == 1
    assert "did not pass its trial" in ended.said
    assert "Traceback" not in ended.said
    assert root.version() == OLD


def test_version_that_fails_as_it_is_installed_is_followed_by_the_one_before(root: Root, does_not_start: Path) -> None:
    ended = root.run("doorctl", "upgrade", root.bring(does_not_start))
    assert ended.code == 1
    assert "0.2.0~deb12 failed: doorward: seeded; 0.1.0~deb12 was put back" in ended.said.replace("\n", " ")
    assert root.version() == OLD
    assert root.run("dpkg", "--verify", "doorward").said == ""


def test_what_is_no_upgrade_is_refused_in_one_sentence_and_changes_nothing(
    root: Root, made: Made, tmp_path: Path
) -> None:
    half = tmp_path / "half.deb"
    half.write_bytes(made.new.read_bytes()[: made.new.stat().st_size // 2])
    new = root.bring(made.new)
    for words, sentence in (
        ((root.bring(half),), "no whole Debian package"),
        ((root.bring(made.old),), "not newer than 0.1.0~deb12"),
        ((new, "--sha256", "00"), "another SHA-256"),
        ((NOWHERE,), f"no package at {NOWHERE}"),
    ):
        ended = root.run("doorctl", "upgrade", *words)
        assert (ended.code, ended.said.count("\n")) == (1, 1), ended.said
        assert sentence in ended.said
    cache = root.path("/var/cache/doorward")
    cache.mkdir(exist_ok=True)
    room_for_a_copy = 2 * made.new.stat().st_size  # and for nothing that is unpacked beside it
    for disk in (f"size={room_for_a_copy}", "size=8m", "ro"):
        ended = root.run("doorctl", "upgrade", new, first=f"mount -t tmpfs -o {disk} tmpfs {cache}")
        assert (ended.code, ended.said.count("\n")) == (1, 1), ended.said
        assert "nothing was changed" in ended.said
    assert root.version() == OLD


def test_upgrade_that_is_killed_during_its_trial_leaves_the_old_version_and_can_be_repeated(
    root: Root, made: Made
) -> None:
    new = root.bring(made.new)
    with subprocess.Popen(root.command("doorctl", "upgrade", new), stdout=subprocess.DEVNULL) as upgrade:
        ends = time.monotonic() + 60
        while not root.path("/var/cache/doorward/staging/usr/lib/doorward/check").exists():
            assert time.monotonic() < ends
            time.sleep(0.05)
        upgrade.send_signal(signal.SIGKILL)
    assert root.version() == OLD
    ended = root.run("doorctl", "upgrade", new)
    assert ended.code == 0, ended.said
    assert root.version() == NEW


def test_upgrade_that_is_cut_off_while_dpkg_writes_is_put_back_by_one_command(root: Root, made: Made) -> None:
    new = root.bring(made.new)
    with subprocess.Popen(root.command("doorctl", "upgrade", new), stdout=subprocess.DEVNULL) as upgrade:
        while not root.path("/usr/bin/doorctl.dpkg-new").exists():
            assert upgrade.poll() is None, "it ended before dpkg began"
            time.sleep(0.01)
        upgrade.send_signal(signal.SIGKILL)
    assert root.version() not in {OLD, NEW}
    again = root.run("doorctl", "upgrade", new)
    assert again.code == 1
    assert "cut off in the middle; `doorctl upgrade --back` puts previous.deb back" in again.said
    back = root.run("doorctl", "upgrade", "--back")
    assert back.code == 0, back.said
    assert root.version() == OLD
    assert root.run("dpkg", "--verify", "doorward").said == ""


def test_changed_installation_is_not_upgraded_because_there_would_be_no_way_back(root: Root, made: Made) -> None:
    with root.path("/usr/lib/doorward/pyvenv.cfg").open("a") as file:
        file.write("# changed\n")
    ended = root.run("doorctl", "upgrade", root.bring(made.new))
    assert ended.code == 1
    assert "/usr/lib/doorward/pyvenv.cfg was changed" in ended.said
    assert root.version() == OLD
