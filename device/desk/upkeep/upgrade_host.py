"""This machine, as an upgrade sees it: dpkg, the folder of kept packages, systemd, the door's own answer.

Rules kept here:
- What is unpacked to be tried lies in root's own folder, is run with no setting of the caller's, and is removed again.
- Every program is called by its full path, and ends within a time.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path

from device.desk.upkeep import left_out, upgrade_kept
from device.desk.upkeep.upgrade import NAME, Package, UpgradeFault
from device.desk.upkeep.upgrade_package import DPKG_DEB
from device.paths import door_paths

CACHE = Path("/var/cache/doorward")
DPKG, DPKG_QUERY, ADMIN = "/usr/bin/dpkg", "/usr/bin/dpkg-query", Path("/var/lib/dpkg")
DOORCTL = "/usr/bin/doorctl"
SYSTEMD_RUNS = Path("/run/systemd/system")
HOME = Path("usr/lib/doorward")
DPKG_S = 1800.0  # a slow memory card; dpkg is never cut off while it has work
PATIENCE_S = 120  # for a door to come up: what the units allow a room (TimeoutStartSec=)
TRIAL_STEPS = 3  # the trial gives up on any step after that patience: so many slow ones in a row are no trial
_PLAIN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


class ThisMachine:
    """See Host. `patience_s`: how long the door on trial, and the upgraded one, may take to come up.

    `admin`: where dpkg keeps what is installed. `settings`: what dpkg was told.
    """

    def __init__(
        self,
        cache: Path = CACHE,
        patience_s: int = PATIENCE_S,
        admin: Path = ADMIN,
        settings: Path = left_out.SETTINGS,
    ) -> None:
        self._cache, self._admin, self._settings = cache, admin, settings
        self._patience_s = patience_s
        self._staging = cache / "staging"
        self.architecture = _run((DPKG, "--print-architecture")).stdout.strip()

    def installed(self) -> str:
        said = self._known("--show", "--showformat", "${db:Status-Status} ${Version}").split()
        if len(said) != 2:  # noqa: PLR2004 - the two fields that were asked for
            raise UpgradeFault("doorward was not installed here as a package, so there is nothing to upgrade")
        if said[0] != "installed":
            kept = self._cache / "previous.deb"
            way = f"; `doorctl upgrade --back` puts {kept.name} back" if kept.exists() else "; try: dpkg --configure -a"
            raise UpgradeFault(f"an earlier installation was cut off in the middle{way}")
        return said[1]

    def is_newer(self, version: str, than: str) -> bool:
        return _run((DPKG, "--compare-versions", version, "gt", than)).returncode == 0

    def free_bytes(self) -> int:
        return shutil.disk_usage(self._cache).free

    def keep_installed(self) -> Path:
        try:
            out = left_out.rules(self._settings)
        except OSError as cause:
            raise UpgradeFault(f"dpkg's settings cannot be read: {cause.strerror}; nothing was done") from cause
        verified = _run((DPKG, f"--admindir={self._admin}", "--verify", NAME)).stdout
        changed = left_out.changed(verified, out)
        if changed:
            raise UpgradeFault(
                f"{changed[0]} was changed after it had been installed, so there is no way back; nothing was done"
            )
        return upgrade_kept.keep(self._cache, self._known("--status"), out, self._admin / "info")

    def try_out(self, package: Package) -> str | None:
        shutil.rmtree(self._staging, ignore_errors=True)  # of an upgrade that was killed
        try:
            unpacked = _run((DPKG_DEB, "--extract", str(package.file), str(self._staging)))
            if unpacked.returncode:
                raise UpgradeFault("the package could not be unpacked to be tried; nothing was changed")
            return _trial(self._staging / HOME, self._patience_s)
        finally:
            shutil.rmtree(self._staging, ignore_errors=True)

    def install(self, file: Path, back_to: str | None = None) -> str | None:
        rollback = {"DOORWARD_ROLLBACK": back_to} if back_to else {}
        try:
            ended = subprocess.run(
                (DPKG, f"--admindir={self._admin}", "--install", str(file)),
                env={**_PLAIN, **rollback, "DEBIAN_FRONTEND": "noninteractive"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=DPKG_S,
                check=False,
                start_new_session=True,  # a Ctrl-C of the person ends us, never dpkg between two files
            )
        except (OSError, subprocess.TimeoutExpired) as cause:
            return f"dpkg did not end in order ({type(cause).__name__})"
        return None if ended.returncode == 0 else _why(ended.stderr)

    def well(self, *, patiently: bool) -> bool:
        if not self.runs():
            return False
        ends = time.monotonic() + (self._patience_s if patiently else 0.0)
        while True:
            if _every_room_up(_run((DOORCTL, "status", "--json")).stdout):
                return True
            if time.monotonic() >= ends:
                return False
            time.sleep(1.0)

    def runs(self) -> bool:
        return SYSTEMD_RUNS.is_dir() and door_paths().config.exists()

    def kept(self) -> tuple[Path, str] | None:
        """The package that an earlier upgrade kept, and its version."""
        file = self._cache / "previous.deb"
        said = _run((DPKG_DEB, "--field", str(file), "Version")) if file.exists() else None
        return (file, said.stdout.strip()) if said is not None and said.returncode == 0 else None

    def _known(self, *asked: str) -> str:
        """What dpkg knows of the installed package."""
        return _run((DPKG_QUERY, f"--admindir={self._admin}", *asked, NAME)).stdout


def _trial(home: Path, patience_s: int) -> str | None:
    """Run the trial that lies in the unpacked package."""
    check = home / "check"
    command = (str(home / "bin" / "python"), "-B", "-m", "tools.simulator.trial", str(patience_s))
    try:
        ended = subprocess.run(
            command,
            env={**_PLAIN, "PYTHONPATH": str(check), "PYTHONNOUSERSITE": "1"},
            cwd=check,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TRIAL_STEPS * patience_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "the trial did not end in time"
    except OSError as cause:
        return f"the trial cannot be started: {cause.strerror}"
    return None if ended.returncode == 0 else _why(ended.stderr)


def _every_room_up(said: str) -> bool:
    try:
        facts = json.loads(said)
        return bool(facts["ok"] and facts["rooms"]) and all(facts["rooms"].values())
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def _why(said: str) -> str:
    """The last line of what a program said: the one nearest to its end."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    own = [line for line in lines if line.startswith(("doorward:", "After the upgrade"))]
    return (own or lines or ["it did not say why"])[-1]


def _run(command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, env=_PLAIN, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DPKG_S, check=False
        )
    except OSError as cause:
        raise UpgradeFault(f"{command[0]} cannot be started: {cause.strerror}") from cause
