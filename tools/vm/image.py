"""The disk that the machine boots: the guest's Debian, the agent, the simulated wires, and the door's package.

Rules kept here:
- The door comes in as it comes into any door: `dpkg -i` of the package that `make deb` made. Nothing of it is copied by
  hand, so what the machine shows is true of the package.
- What the test rig adds has names that begin with `vm-` or `61-vm`, and is in no package.
- The image is never written to: machines write into overlays.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.vm import host
from tools.vm.base import base
from tools.vm.kernel import Kernel, kernel
from tools.vm.say import step

_AT_BOOT: Final = ("virtio_blk", "ext4")  # what has to be there before the root file system is
_SPARE_MIB: Final = 1400
BROUGHT: Final = "/srv/vm-brought"
"""A folder of the guest, where papers and packages lie that somebody brings to the door."""
_UNITS: Final = "etc/systemd/system"
_PROGRAMS: Final = ("vm_agent.py", "vm_lines.py", "vm-wires.sh")
_SERVICES: Final = ("vm-agent.service", "vm-wires.service")
# Unpacked on the disk: an emulated processor takes longer over xz than over all the rest of a boot.
_OFTEN: Final = (
    *("autofs4", "configfs", "evdev", "ext4", "gpio_sim", "hid_generic", "i6300esb", "ip_tables", "button"),
    *("usbhid", "usb_storage", "uvcvideo", "virtio_net", "virtio_rng", "xhci_pci", "vivid"),
)
# Hardware of the emulated board that no door has, and nobody here asks for.
_NO_DRIVER: Final = (
    *("ahci", "i2c_i801", "iTCO_wdt", "lpc_ich", "pcspkr", "psmouse", "qemu_fw_cfg", "serio_raw", "intel_pmc_bxt"),
)
# Nothing may wake up and compete with what is measured; nor is anything loaded for hardware that is not there.
_UNWANTED: Final = (
    *(f"modprobe@{each}.service" for each in ("dm_mod", "drm", "efi_pstore", "fuse", "loop")),
    "e2scrub_reap.service",
    "proc-sys-fs-binfmt_misc.automount",
    "systemd-binfmt.service",
    "systemd-pstore.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
)


@dataclass(frozen=True, slots=True)
class Image:
    """A folder with what QEMU needs: `kernel`, `initrd` and the raw `disk`."""

    folder: Path

    @property
    def kernel(self) -> Path:
        """The kernel."""
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """The first file system."""
        return self.folder / "initrd.zst"

    @property
    def disk(self) -> Path:
        """The root file system (ext4, raw)."""
        return self.folder / "root.ext4"


def image(packaged: Callable[[], Path | None]) -> Image:
    """The image with the door's package in it, which `packaged` makes; without a door if that is None. Raises VmFault.

    Debian, its kernel and the package are made side by side: one waits for a mirror while another has the processor.
    """
    with ThreadPoolExecutor() as beside:
        fetched, made = beside.submit(kernel), beside.submit(packaged)
        tree = base()
    release, package = fetched.result(), made.result()
    inputs: list[str | Path] = [tree.name, release.release, Path(__file__), host.GUEST, *([package] if package else [])]
    kind = "door" if package else "bare"
    return Image(host.kept(kind, host.digest(inputs), lambda into: _make(into, tree, release, package)))


def _make(into: Path, tree: Path, release: Kernel, package: Path | None) -> None:
    host.need_root()
    root = into / "root"
    into.mkdir()
    with step("copying the guest's Debian"):
        host.run("image", ["cp", "-a", "--reflink=auto", str(tree), str(root)])
        (root / "usr/lib/modules").mkdir(exist_ok=True)
        host.run("image", ["cp", "-a", str(release.modules), str(root / "usr/lib/modules" / release.release)])
        host.run("image", ["depmod", "-b", str(root), release.release])
        for packed in {file for module in _OFTEN for file in _with_needed(root, release, module)}:
            host.run("image", ["xz", "-d", str(packed)])
        host.run("image", ["depmod", "-b", str(root), release.release])
    _furnish(root)
    if package is not None:
        with step(f"installing {package.name} into it"):
            _install(root, package)
    with step("writing the disk"):
        shutil.copy(release.image, into / "vmlinuz")
        _initrd(root, release, into)
        _disk(root, into / "root.ext4")
    shutil.rmtree(root)


def _furnish(root: Path) -> None:
    (root / BROUGHT.lstrip("/")).mkdir(parents=True)
    # The guest's Debian has no documents; an upgrade wants every file of the door's package as it was installed.
    documents = "path-include=/usr/share/doc/doorward\npath-include=/usr/share/doc/doorward/*\n"
    (root / "etc" / "dpkg" / "dpkg.cfg.d" / "vm-documents").write_text(documents)
    (root / "etc" / "fstab").write_text("/dev/vda / ext4 rw,noatime 0 1\n")
    (root / "etc" / "machine-id").write_text("")  # each machine finds its own at its first boot
    for name in _PROGRAMS:
        shutil.copy(host.GUEST / name, root / "usr/local/sbin" / name)
    shutil.copy(host.GUEST / "61-vm.rules", root / "etc/udev/rules.d/61-vm.rules")
    for name in _SERVICES:
        shutil.copy(host.GUEST / name, root / _UNITS / name)
        wants = root / _UNITS / "sysinit.target.wants"
        wants.mkdir(exist_ok=True)
        (wants / name).symlink_to(f"../{name}")
    refused = "".join(f"blacklist {name}\n" for name in _NO_DRIVER)
    (root / "etc" / "modprobe.d" / "vm-no-driver.conf").write_text(refused)
    for name in _UNWANTED:
        (root / _UNITS / name).symlink_to("/dev/null")


def _install(root: Path, package: Path) -> None:
    guests = root / "var/cache" / package.name
    shutil.copy(package, guests)
    # As in any chroot: no service is started while files are being laid out.
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        host.run("image", ["chroot", str(root), "dpkg", "-i", f"/var/cache/{package.name}"])
    finally:
        policy.unlink()
        guests.unlink()


def _initrd(root: Path, release: Kernel, into: Path) -> None:
    first = into / "initrd"
    for name in ("bin", "dev", "proc", "sys", "m", "r"):
        (first / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", first / "bin" / "busybox")
    shutil.copy(host.GUEST / "init", first / "init")
    (first / "init").chmod(0o755)
    ordered: list[str] = []
    for module in _AT_BOOT:
        for file in _with_needed(root, release, module):
            name = file.name.removesuffix(".xz")
            if name not in ordered:
                ordered.append(name)
                _unpacked(file, first / "m" / name)
    (first / "m" / "list").write_text("\n".join(ordered) + "\n")
    pack = "find . | LC_ALL=C sort | cpio --quiet -o -H newc | zstd -q -3 >../initrd.zst"
    host.run("image", ["sh", "-c", pack], cwd=first)
    shutil.rmtree(first)


def _with_needed(root: Path, release: Kernel, module: str) -> list[Path]:
    """The files of a module and of all that it needs, which come first."""
    told = host.run("image", ["modprobe", "-d", str(root), "-S", release.release, "--show-depends", module])
    return [Path(line.split()[1]) for line in told.splitlines() if line.startswith("insmod")]


def _unpacked(file: Path, to: Path) -> None:
    if file.suffix == ".xz":
        host.run("image", ["sh", "-c", f"xz -dc '{file}' >'{to}'"])
    else:
        shutil.copy(file, to)


def _disk(root: Path, disk: Path) -> None:
    used_mib = int(host.run("image", ["du", "-sm", str(root)]).split()[0])
    make = ["mke2fs", "-q", "-t", "ext4", "-E", "lazy_itable_init=1", "-d", str(root), str(disk)]
    host.run("image", [*make, f"{used_mib + _SPARE_MIB}M"])
