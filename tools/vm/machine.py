"""One machine: QEMU, its software TPM, and the ends of its wires in a state folder.

Rules kept here:
- TCG, never KVM: where /dev/kvm opens, the guest may still not boot (seen under a nested hypervisor), and a tier that
  is fast on one computer and dead on another proves nothing.
- The disk is an overlay over the image: it survives resets and a new start with the same folder, and goes with it.
- A reset is a power cut: what the guest had not written to its disk is gone.
- The software TPM's memory is a folder: another folder is another TPM.
- Programs lie at the same addresses each time (norandmaps): QEMU finds what it translated before. No test asks where.
- The network card reaches one address, behind which a relay of this machine waits, and nothing else. Where a test asks
  for it, a port of this computer's loopback is the residents' page: calls come from the card's gateway, 10.0.2.2.
- A machine that was frozen is never run again; others begin where it stood, each with an overlay over its disk, and a
  TPM that remembers what that one's did.

`-cpu Nehalem`: much faster under TCG than `max` (docs/vm.md).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from tools.vm import host
from tools.vm.agent import Agent
from tools.vm.image import Image
from tools.vm.qmp import Monitor
from tools.vm.say import VmFault

BOOTS_WITHIN_S: Final = 900.0  # 30 to 90 s beside three others on two cores
BROKER_ADDRESS: Final = "10.0.2.100"
BROKER_PORT: Final = 8883
PAGE_PORT: Final = 8443
"""Of the guest, where `Machine.page_port` leads."""
KEYPAD_DEVICE: Final = {"driver": "usb-kbd", "bus": "usb.0", "port": "1", "id": "keypad"}
"""As QEMU's monitor takes it to plug it in again."""
STICK: Final = "/dev/disk/by-path/pci-0000:00:05.0-usb-0:3:1.0-scsi-0:0:0:0"
"""Where the guest finds what `Machine.plug_in` plugs in."""
_COMES_UP_WITHIN_S: Final = 60.0
_ENDS_WITHIN_S: Final = 10.0
_ANSWERS_WITHIN_S: Final = 60.0
_FREEZES_WITHIN_S: Final = 300.0
_MEMORY_MIB: Final = 2048
_PROCESSORS: Final = 1
_TPM_NICE: Final = -10
_SUN_PATH: Final = 107  # unix(7)
_KERNEL_LINE: Final = (
    "console=ttyS0 quiet systemd.show_status=0 net.ifnames=0 mitigations=off apparmor=0 audit=0 panic=1 "
    "random.trust_cpu=on norandmaps init_on_alloc=0 damon_stat.enabled=0 cryptomgr.notests"
)


@dataclass(frozen=True, slots=True)
class Frozen:
    """A machine as it stood at one moment: its memory, its disk and its TPM's memory, in one folder."""

    folder: Path

    @property
    def memory(self) -> Path:
        """Everything but the disk, as QEMU writes it to go on elsewhere."""
        return self.folder / "memory"

    @property
    def disk(self) -> Path:
        """The overlay over the image."""
        return self.folder / "disk.qcow2"


@dataclass
class Machine:
    """A machine with its files in `folder`. `with Machine(image, folder) as vm:` boots it and waits for its agent."""

    image: Image
    folder: Path
    broker_port: int = 0  # a port of this computer's loopback that the guest reaches at BROKER_ADDRESS
    tpm: Path | None = None  # the TPM's memory; by default in the state folder
    page_port: int = 0  # a port of this computer's loopback at which the guest's PAGE_PORT is called
    begins: Frozen | None = None  # where it begins; without one at power-on
    counted: bool = True  # its clock counts instructions: on a busy computer it is slow, and nothing in it is late
    _qemu: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _monitor: Monitor | None = field(default=None, repr=False)
    _agent: Agent | None = field(default=None, repr=False)
    ready_s: float = 0.0  # since the guest's start, by its clock

    def __enter__(self) -> Self:
        self.start()
        try:
            if self.begins is None:
                self.ready_s = self.agent.wait_ready(BOOTS_WITHIN_S)
            else:
                self.agent.ask(f"date -s @{int(time.time())} >/dev/null", limit_s=BOOTS_WITHIN_S)
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def agent(self) -> Agent:
        """Runs scripts in the guest."""
        if self._agent is None:
            raise VmFault("the machine is not running")
        return self._agent

    @property
    def monitor(self) -> Monitor:
        """Keys, power, events."""
        if self._monitor is None:
            raise VmFault("the machine is not running")
        return self._monitor

    @property
    def camera_socket(self) -> Path:
        """Where a camera is plugged in (usb-redir)."""
        return self.folder / "camera.sock"

    @property
    def disk(self) -> Path:
        """The overlay; with the image below it, everything that is on the guest's disk."""
        return self.folder / "disk.qcow2"

    @property
    def console(self) -> str:
        """What the guest wrote to its serial line."""
        path = self.folder / "console.log"
        return path.read_text(errors="replace") if path.exists() else ""

    # ---- power

    def start(self) -> None:
        """Switch it on; returns when QEMU answers, long before the guest does. Raises VmFault."""
        host.need(host.TO_BOOT)
        self.folder.mkdir(parents=True, exist_ok=True)
        if len(os.fsencode(self.folder / "monitor.sock")) > _SUN_PATH:
            msg = f"the folder {self.folder} has too long a name: a socket below it may have {_SUN_PATH} bytes"
            raise VmFault(msg)
        for name in ("monitor", "agent", "camera", "tpm"):
            (self.folder / f"{name}.sock").unlink(missing_ok=True)
        incoming: list[str] = []
        if not self.disk.exists():
            base = ["-F", "raw", "-b", str(self.image.disk)]
            if self.begins is not None:
                base = ["-F", "qcow2", "-b", str(self.begins.disk)]
                incoming = ["-incoming", f"exec:cat '{self.begins.memory}'"]
            host.run("machine", ["qemu-img", "create", "-q", "-f", "qcow2", *base, str(self.disk)])
        self._start_tpm()
        log = (self.folder / "qemu.log").open("ab")
        with log:
            command = [*self._command(), *incoming]
            self._qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        (self.folder / "qemu.pid").write_text(str(self._qemu.pid))
        self.attach()
        if incoming:
            self._go_on()

    def _go_on(self) -> None:
        ends = time.monotonic() + _FREEZES_WITHIN_S
        while self.monitor.ask("query-status")["status"] == "inmigrate":
            if time.monotonic() > ends:
                msg = f"the machine did not thaw; what QEMU said stands in {self.folder / 'qemu.log'}"
                raise VmFault(msg)
            time.sleep(0.05)
        self.monitor.ask("cont")

    def attach(self) -> None:
        """Take the machine's wires in hand. Raises VmFault."""
        ends = time.monotonic() + _COMES_UP_WITHIN_S
        while self._agent is None:
            try:
                self._monitor = self._monitor or Monitor(self.folder / "monitor.sock")
                self._agent = Agent(self.folder / "agent.sock")
            except OSError as cause:
                if (self._qemu and self._qemu.poll() is not None) or time.monotonic() > ends:
                    self.kill()
                    msg = f"QEMU did not start; what it said stands in {self.folder / 'qemu.log'}"
                    raise VmFault(msg) from cause
                time.sleep(0.02)

    def reset(self) -> float:
        """Cut the power and switch it on again; seconds from the guest's start to its agent. Raises VmFault."""
        boots = self.agent.boots
        self.monitor.ask("system_reset")
        return self.agent.wait_ready(BOOTS_WITHIN_S, boots)

    def freeze(self, into: Path) -> Frozen:
        """Stop where it stands and end; what others begin with, in the folder `into`. Raises VmFault."""
        self.monitor.ask("stop")
        self.monitor.ask("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
        self.monitor.ask("migrate", uri=f"exec:cat >'{into / 'memory'}'")
        ends = time.monotonic() + _FREEZES_WITHIN_S
        while (said := self.monitor.ask("query-migrate"))["status"] != "completed":
            if said["status"] in ("failed", "cancelled") or time.monotonic() > ends:
                msg = f"the machine could not be frozen: {said.get('error-desc', said['status'])}"
                raise VmFault(msg)
            time.sleep(0.05)
        self.kill()
        shutil.move(self.disk, into)
        return Frozen(into)

    def plug_in(self, content: Path) -> None:
        """Plug in a USB stick that holds the bytes of a file from its first one on, read only. Raises VmFault."""
        file = {"driver": "file", "filename": str(content), "read-only": True}
        self.monitor.ask("blockdev-add", **{"driver": "raw", "node-name": "stick", "read-only": True, "file": file})
        self.monitor.ask("device_add", driver="usb-storage", bus="usb.0", port="3", drive="stick", id="stick")

    def pull_out(self) -> None:
        """Pull the stick out. Raises VmFault."""
        since = len(self.monitor.events)
        self.monitor.ask("device_del", id="stick")
        self.monitor.wait("DEVICE_DELETED", _ANSWERS_WITHIN_S, since)
        self.monitor.ask("blockdev-del", **{"node-name": "stick"})

    def kill(self) -> None:
        """Cut the power and leave the folder as it is."""
        for wire in (self._agent, self._monitor):
            if wire is not None:
                with contextlib.suppress(OSError):
                    wire.close()
        self._agent = self._monitor = None
        if self._qemu is not None:
            self._qemu.terminate()  # QEMU ends in order, the guest is not asked
            try:
                self._qemu.wait(_ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._qemu.kill()
                self._qemu.wait()
            self._qemu = None
        end_process(self.folder / "tpm.pid")
        (self.folder / "qemu.pid").unlink(missing_ok=True)

    def leave(self) -> None:
        """Let go of it; it runs on. `python -m tools.vm down` ends it."""
        self.agent.close()
        self.monitor.close()
        self._qemu = self._agent = self._monitor = None

    # ---- what it is made of

    def _start_tpm(self) -> None:
        memory = self.tpm or self.folder / "tpm"
        memory.mkdir(parents=True, exist_ok=True)
        host.run(
            "machine",
            [
                *("swtpm", "socket", "--tpm2", "--tpmstate", f"dir={memory}"),
                *("--ctrl", f"type=unixio,path={self.folder}/tpm.sock"),
                *("--daemon", "--pid", f"file={self.folder}/tpm.pid"),
            ],
        )
        # A kernel that starts waits for its TPM's first word for a moment, and goes on without one: where machines fill
        # all processors that moment passed once. Who may not ask for more has what the others have.
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, int((self.folder / "tpm.pid").read_text()), _TPM_NICE)

    def _command(self) -> list[str]:
        at = self.folder
        relay = f",guestfwd=tcp:{BROKER_ADDRESS}:{BROKER_PORT}-cmd:busybox nc 127.0.0.1 {self.broker_port}"
        page = f",hostfwd=tcp:127.0.0.1:{self.page_port}-:{PAGE_PORT}"
        network = f"user,id=net,restrict=on{relay if self.broker_port else ''}{page if self.page_port else ''}"
        # 2**0 ns an instruction. While the guest has nothing to do, its clock keeps pace with this computer's.
        runs = ("tcg,thread=single", "-icount", "shift=0,sleep=on") if self.counted else ("tcg,thread=multi",)
        return [
            *("qemu-system-x86_64", "-accel", *runs, "-cpu", "Nehalem", "-M", "q35"),
            *("-m", str(_MEMORY_MIB), "-smp", str(_PROCESSORS), "-display", "none", "-nodefaults", "-vga", "none"),
            *("-serial", f"file:{at}/console.log", "-qmp", f"unix:{at}/monitor.sock,server=on,wait=off"),
            *("-kernel", str(self.image.kernel), "-initrd", str(self.image.initrd), "-append", _KERNEL_LINE),
            *("-drive", f"file={self.disk},format=qcow2,if=virtio,cache=unsafe"),
            *("-chardev", f"socket,id=agent,path={at}/agent.sock,server=on,wait=off"),
            *("-device", "virtio-serial-pci", "-device", "virtserialport,chardev=agent,name=doorward.agent"),
            *("-chardev", f"socket,id=tpm,path={at}/tpm.sock"),
            *("-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", "tpm-crb,tpmdev=tpm0"),
            *("-device", "i6300esb,id=watchdog", "-action", "watchdog=reset"),
            *("-device", "virtio-rng-pci", "-netdev", network, "-device", "virtio-net-pci,netdev=net,romfile="),
            *("-device", "qemu-xhci,id=usb", "-device", ",".join(_words(KEYPAD_DEVICE))),
            *("-chardev", f"socket,id=camera,path={self.camera_socket},server=on,wait=off"),
            *("-device", "usb-redir,chardev=camera,bus=usb.0,port=2,id=camera"),
        ]


def _words(device: dict[str, str]) -> list[str]:
    """A device for QEMU's command line: its driver first."""
    return [value if name == "driver" else f"{name}={value}" for name, value in device.items()]


def end_process(pid_file: Path) -> None:
    """End the process whose number `pid_file` holds, if it still runs, and remove the file."""
    if not pid_file.exists():
        return
    with contextlib.suppress(ProcessLookupError, ValueError):
        os.kill(int(pid_file.read_text()), signal.SIGTERM)
    pid_file.unlink(missing_ok=True)
