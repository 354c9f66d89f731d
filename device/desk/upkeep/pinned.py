"""What door.toml opens to a room beyond its unit as installed: a TPM, a page's socket; and what a serial line needs.

Rules kept here:
- The units as installed open to each room what every door has. A TPM is opened to the one room whose epoch key
  door.toml puts there, and to nobody else; without it there is no file.
- A TPM that only seals a room's root key is opened to no room: the service manager opens the seal.

The keypad and the line themselves are `device.desk.setup.writing`'s, which writes these files as well.
Sources: systemd.resource-control(5) on DeviceAllow=, modules-load.d(5).
"""

from __future__ import annotations

from pathlib import Path

from device.config.tables import Config, KeeperTable, VaultTable
from device.desk.upkeep import page_units
from device.edges import Room

MODULES = Path("etc/modules-load.d/doorward-setup.conf")
_HEAD = "# Written by `doorctl setup` from door.toml.\n"
# A unit may be allowed a kind of device only when the kernel knows that kind. Without these an adapter that is plugged
# in after lock has started would stay shut to it.
_SERIAL_MODULES = ("usbserial", "cdc_acm")


def drop_in(room: Room) -> Path:
    """What extends the unit of `room`, below the door's root."""
    return Path(f"etc/systemd/system/doorward-{room}.service.d/50-setup.conf")


def files(config: Config) -> dict[Path, str | None]:
    """Every file that follows from `config`, below the door's root: its text, or None where there must be none."""
    return {
        drop_in(Room.VAULT): _unit(_tpm(config.vault, config)),
        drop_in(Room.KEEPER): _unit(_tpm(config.keeper, config)),
        MODULES: _text(_SERIAL_MODULES if config.lock.osdp else ()),
        **page_units.files(config),
    }


def _tpm(table: VaultTable | KeeperTable, config: Config) -> tuple[str, ...]:
    if table.key_store != "tpm-nv" or not config.tpm.tcti.startswith("device:"):
        return ()
    node = config.tpm.tcti.removeprefix("device:")
    # With devices of its own (PrivateDevices=yes) a room sees no TPM; closed, it sees all and opens this one alone.
    return ("PrivateDevices=no", "DevicePolicy=closed", f"DeviceAllow={node} rw", "SupplementaryGroups=tss")


def _unit(lines: tuple[str, ...]) -> str | None:
    return _text(("[Service]", *lines)) if lines else None


def _text(lines: tuple[str, ...]) -> str | None:
    return _HEAD + "".join(f"{line}\n" for line in lines) if lines else None
