"""A machine whose dpkg leaves manuals out: the real dpkg, a small package, and what an upgrade says of it.

The package's files lie below the test's own folder, and dpkg writes down what it does in another one: nothing of this
computer's own packages is touched.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from device.desk.upkeep import left_out
from device.desk.upkeep.upgrade import UpgradeFault
from device.desk.upkeep.upgrade_host import ThisMachine

VERSION = "0.1"


@dataclass(frozen=True)
class Small:
    """A machine with a package doorward: `code` is a file of the door, `page` one of its manual."""

    machine: ThisMachine
    settings: Path
    code: Path
    page: Path
    notice: Path

    def told(self, *lines: str) -> None:
        """What dpkg is told from now on."""
        self.settings.write_text("".join(f"{line}\n" for line in lines))

    def without_manual(self, *more: str) -> tuple[str, ...]:
        return (f"path-exclude={self.page.parent.parent}/*", *more)


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """The package installed with its manual, and dpkg told nothing."""
    home, tree, admin = (tmp_path / name for name in ("disk", "tree", "admin"))
    code, manual = home / "usr/lib/doorward/lock.py", home / "usr/share/doc/doorward"
    files = {code: "code\n", manual / "page.md": "page\n", manual / "copyright": "notice\n"}
    for file, text in files.items():
        inside = tree / str(file).lstrip("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.write_text(text)
    control = tree / "DEBIAN"
    control.mkdir()
    text = f"Package: doorward\nVersion: {VERSION}\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\n"
    (control / "control").write_text(f"{text}Description: a test\n")
    for script in ("preinst", "postinst", "prerm", "postrm"):
        (control / script).write_text("#!/bin/sh\nexit 0\n")
        (control / script).chmod(0o755)
    sums = subprocess.run(
        ["md5sum", *(str(file).lstrip("/") for file in files)], cwd=tree, check=True, capture_output=True
    )
    (control / "md5sums").write_bytes(sums.stdout)
    subprocess.run(["dpkg-deb", "--build", tree, tmp_path / "a.deb"], check=True, capture_output=True)
    for folder in (admin / "info", admin / "updates", tmp_path / "cache", tmp_path / "dpkg"):
        folder.mkdir(parents=True)
    for name in ("status", "available"):
        (admin / name).touch()
    settings = tmp_path / "dpkg" / "dpkg.cfg"
    machine = ThisMachine(tmp_path / "cache", admin=admin, settings=settings.parent)
    assert machine.install(tmp_path / "a.deb") is None
    return Small(machine, settings, code, manual / "page.md", manual / "copyright")


def by_dpkg(small: Small, tmp_path: Path) -> None:
    """Install the package anew as a dpkg does that was told what `small.settings` says."""
    small.page.unlink(missing_ok=True)
    small.notice.unlink(missing_ok=True)
    options = [f"--{line}" for line in small.settings.read_text().splitlines()]
    command = ["dpkg", f"--admindir={tmp_path / 'admin'}", *options, "--install", str(tmp_path / "a.deb")]
    subprocess.run(command, check=True, capture_output=True)


def inside(package: Path) -> str:
    return subprocess.run(["dpkg-deb", "--contents", package], check=True, capture_output=True, text=True).stdout


def test_manual_that_dpkg_left_out_is_no_change_and_the_version_is_kept_without_it(
    small: Small, tmp_path: Path
) -> None:
    small.told(*small.without_manual(f"path-include={small.notice}"))
    by_dpkg(small, tmp_path)
    assert (small.page.exists(), small.notice.exists()) == (False, True), "dpkg does not leave out what was named"
    kept = small.machine.keep_installed()
    assert str(small.code) in inside(kept)
    assert str(small.notice) in inside(kept)
    assert str(small.page) not in inside(kept)


def test_version_that_was_kept_without_its_manual_is_whole_when_it_is_put_back(small: Small, tmp_path: Path) -> None:
    small.told(*small.without_manual())
    by_dpkg(small, tmp_path)
    kept = small.machine.keep_installed()
    small.code.unlink()
    small.told()  # and dpkg leaves out nothing any more
    assert small.machine.install(kept, back_to=VERSION) is None
    assert small.machine.installed() == VERSION
    assert small.code.read_text() == "code\n"
    assert small.machine.keep_installed() == kept, "a manual that nobody brought is not missed"


def test_code_that_is_missing_or_changed_is_said_beside_a_manual_that_was_left_out(
    small: Small, tmp_path: Path
) -> None:
    small.told(*small.without_manual())
    by_dpkg(small, tmp_path)
    small.code.write_text("another code\n")
    with pytest.raises(UpgradeFault, match=r"lock\.py was changed .*nothing was done"):
        small.machine.keep_installed()
    small.code.unlink()
    with pytest.raises(UpgradeFault, match=r"lock\.py was changed .*nothing was done"):
        small.machine.keep_installed()


def test_manual_that_somebody_removed_is_a_change_where_dpkg_was_told_nothing(small: Small) -> None:
    assert small.machine.keep_installed().exists()
    small.page.unlink()
    with pytest.raises(UpgradeFault, match=r"page\.md was changed"):
        small.machine.keep_installed()


def test_what_is_there_is_compared_even_where_dpkg_leaves_things_out(small: Small) -> None:
    small.told(*small.without_manual())
    small.page.write_text("another page\n")
    with pytest.raises(UpgradeFault, match=r"page\.md was changed"):
        small.machine.keep_installed()


def test_upgrade_that_does_not_ask_for_dpkg_s_rules_is_seen_by_these_tests(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.told(*small.without_manual())
    by_dpkg(small, tmp_path)
    monkeypatch.setattr(left_out, "rules", lambda _: ())
    with pytest.raises(UpgradeFault, match="was changed"):
        small.machine.keep_installed()


def test_upgrade_that_takes_a_missing_file_for_left_out_is_seen_by_these_tests(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.code.unlink()
    monkeypatch.setattr(left_out, "left_out", lambda *_: True)
    monkeypatch.setattr("device.desk.upkeep.upgrade_kept.left_out", lambda *_: True)
    assert small.machine.keep_installed().exists()
