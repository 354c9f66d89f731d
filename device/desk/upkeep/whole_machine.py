"""What set-up asks of the machine as a whole, beside the units: its watchdog, and keys that would switch it off.

Rules kept here:
- These hold for the whole machine, so the package does not bring them: somebody who sets up a door has said that this
  machine is one. Purge takes them back.
- The watchdog acts when systemd itself or the kernel stands still. No failure of a room resets the board.
- Whoever plugs in a keyboard switches nothing off: not by Ctrl-Alt-Del, however often, not by a power or sleep key, not
  by SysRq. Whoever can pull the plug can do that all the same; what is spared is a door that one key takes away.
- A file of somebody else's at one of these places stays as it is.

Sources: systemd-system.conf(5), RuntimeWatchdogSec= and CtrlAltDelBurstAction=; logind.conf(5); systemd.unit(5), a unit
file of size zero is masked; Documentation/admin-guide/sysrq.rst of the kernel (Debian's own setting lets SysRq reboot).
"""

from __future__ import annotations

from pathlib import Path

WATCHDOG = Path("etc/systemd/system.conf.d/50-doorward.conf")
BURST = Path("etc/systemd/system.conf.d/51-doorward-keys.conf")
LOGIN = Path("etc/systemd/logind.conf.d/50-doorward.conf")
CTRL_ALT_DEL = Path("etc/systemd/system/ctrl-alt-del.target")
SYSRQ = Path("etc/sysctl.d/60-doorward.conf")  # after Debian's own 50-default.conf
_HEAD = "# Written by `doorctl setup`"
_KEYS = ("PowerKey", "RebootKey", "SuspendKey", "HibernateKey")
_HANDLED = (*_KEYS, *(f"{key}LongPress" for key in _KEYS), "LidSwitch", "LidSwitchExternalPower")

_TEXTS = {
    WATCHDOG: (
        f"{_HEAD}: the board starts anew when the service manager itself, or the kernel, has hung for ten seconds. A\n"
        "# Raspberry Pi's watchdog counts to fifteen at most.\n[Manager]\nRuntimeWatchdogSec=10\n"
    ),
    BURST: f"{_HEAD}: Ctrl-Alt-Del, however often, reboots no door.\n[Manager]\nCtrlAltDelBurstAction=none\n",
    LOGIN: f"{_HEAD}: no key and no lid switches a door off.\n[Login]\n"
    + "".join(f"Handle{key}=ignore\n" for key in _HANDLED),
    CTRL_ALT_DEL: "",
    SYSRQ: f"{_HEAD}: no keyboard reboots a door past the service manager.\nkernel.sysrq = 0\n",
}
PLACES = tuple(_TEXTS)


def files(root: Path, *, watchdog: bool) -> dict[Path, str | None]:
    """Every such file below `root` that set-up may write: its text, or None where there must be none.

    `watchdog`: whether the board's watchdog is to be fed by systemd.
    """
    texts: dict[Path, str | None] = {**_TEXTS, WATCHDOG: _TEXTS[WATCHDOG] if watchdog else None}
    return {path: text for path, text in texts.items() if _ours(root / path)}


def none(root: Path) -> dict[Path, str | None]:
    """The same for a machine that is no door: those that stand are taken away."""
    return {path: None for path in _TEXTS if _ours(root / path)}


def told(*, watchdog: bool) -> str:
    """What of it the person hears before they agree."""
    anew = " When it hangs it starts anew." if watchdog else ""
    keys = "from its next start on no key of a keyboard switches this machine off (Ctrl-Alt-Del, power, SysRq)."
    return f"For the machine as a whole: {keys}{anew}"


def feeds_watchdog(root: Path) -> bool:
    """Whether set-up has switched the watchdog on before."""
    return (root / WATCHDOG).exists()


def _ours(path: Path) -> bool:
    """Whether there is nothing at `path`, or what set-up wrote."""
    if path.is_symlink():
        return False
    try:
        stands = path.read_bytes()
    except OSError:
        return not path.exists()
    return not stands or stands.startswith(_HEAD.encode())
