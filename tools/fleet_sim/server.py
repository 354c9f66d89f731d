"""The real Mosquitto, with the files that `doorward broker config` writes, or without TLS on loopback.

Rules kept here:
- With TLS one thing of the generated files is changed: how much the broker keeps for whoever is away. Certificates
  come from an authority of the fleet's own kind. All simulated doors share one key: what the broker has to do for a
  connection does not depend on it.
- Without TLS its other bounds are those of the generated files.
- It is a child of this process and ended by its own handle: asked to stop, or killed.
"""

from __future__ import annotations

import os
import pwd
import re
import resource
import socket
import ssl
import subprocess
import time
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from device.errors import BrokerFault
from device.report.broker import Broker
from provisioning import broker_config
from provisioning.certificates import Authority, new_authority, new_key
from tools.broker import INSTALL, PROGRAM

HOST = "127.0.0.1"
MANAGER = "fleet"
_STARTS_WITHIN_S = 30.0
_STOPS_WITHIN_S = 60.0
_DAYS = 30
_EACH = 1024  # bytes in the broker's account of one message, more than enough
_PAGE = resource.getpagesize()
_TICKS = os.sysconf("SC_CLK_TCK")
# Below what Linux hands out to connections, so that no door's own port is in the way after the restart.
_PORTS = range(20_000, 32_000)
_asked = count()

_PLAIN = """\
listener {port} {host}
allow_anonymous true
message_size_limit 4096
max_packet_size 8192
max_inflight_messages 20
max_queued_messages {queue}
max_queued_bytes {bytes}
max_connections -1
persistent_client_expiration 35d
max_keepalive 1200
persistence true
persistence_location {data}/
autosave_interval 60
sys_interval 0
log_dest stderr
log_type error
log_type warning
"""


def free_port() -> int:
    """A port that nobody uses now, and that no connection will take."""
    for _ in range(len(_PORTS)):
        port = _PORTS[(os.getpid() * 7 + next(_asked)) % len(_PORTS)]
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if sock.connect_ex((HOST, port)) == 0:
                continue
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((HOST, port))
            except OSError:
                continue
        return port
    raise BrokerFault("there is no free port for a broker")


@dataclass(frozen=True, slots=True)
class Usage:
    """What the broker uses: its resident memory, and the processor's time since its start."""

    resident_bytes: int
    cpu_s: float


def usage_of(pid: int) -> Usage:
    """What a process uses at this moment (proc(5): /proc/PID/stat, fields 14, 15 and 24); nothing once it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return Usage(0, 0.0)
    return Usage(int(fields[21]) * _PAGE, (int(fields[11]) + int(fields[12])) / _TICKS)


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as sock:
        return sock.connect_ex((HOST, port)) == 0


class Side(Protocol):
    """The broker of a run: one Mosquitto, or the nodes of a cluster."""

    @property
    def where(self) -> tuple[Broker, ...]:
        """What doors connect to, one after the other."""

    def prepare(self, doors: list[str]) -> Path | None:
        """Write the files; the folder with every door's certificate, if there are any."""

    def listener_context(self) -> ssl.SSLContext | None:
        """The TLS of whoever listens."""

    def start(self) -> None:
        """Return once everything that should run takes connections. Raises BrokerFault."""

    def stop(self, *, kill: bool = False) -> None:
        """What happens in the middle of a run."""

    def end(self) -> None:
        """The run is over."""

    def usage(self) -> Usage:
        """What it uses at this moment."""


@dataclass
class Server:
    """A broker with its files below `folder`, over TLS if so wished."""

    folder: Path
    tls: bool
    queue: int
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    _authority: Authority | None = None

    @property
    def where(self) -> tuple[Broker, ...]:
        """What doors connect to."""
        return (Broker(HOST, self.port, self.tls),)

    @property
    def log(self) -> str:
        """What it said so far."""
        return (self.folder / "mosquitto.log").read_text(errors="replace")

    def prepare(self, doors: list[str]) -> Path | None:
        """Write the files and, with TLS, every door's certificate; the folder of the latter."""
        data = self.folder / "data"
        data.mkdir(parents=True)
        if not self.tls:
            self._config.parent.mkdir()
            self._config.write_text(
                _PLAIN.format(port=self.port, host=HOST, data=data, queue=self.queue, bytes=self.queue * _EACH)
            )
            self._give()
            return None
        now = int(time.time())
        self._authority = authority = new_authority(new_key(), now)
        place = broker_config.Place(PurePosixPath(self._config.parent), PurePosixPath(data), self.port, HOST)
        broker_config.write(self._config.parent, place, authority, [HOST], [MANAGER], _DAYS, now)
        text = self._config.read_text()
        for name, value in (("max_queued_messages", self.queue), ("max_queued_bytes", self.queue * _EACH)):
            text = re.sub(rf"(?m)^{name} .*$", f"{name} {value}", text)
        self._config.write_text(text)
        self._give()
        return self._issue(authority, doors, now)

    def listener_context(self) -> ssl.SSLContext | None:
        """The TLS of a manager's computer; None without TLS."""
        if self._authority is None:
            return None
        pair = self._authority.issue_manager(MANAGER, _DAYS, int(time.time()))
        certificate, key = self.folder / "manager.pem", self.folder / "manager.key"
        certificate.write_bytes(pair.issued.pem)
        key.write_bytes(pair.key_pem)
        context = ssl.create_default_context(cadata=self._authority.pem.decode())
        context.load_cert_chain(certificate, key)
        return context

    def start(self) -> None:
        """Return once it takes connections. Raises BrokerFault if it does not."""
        if not Path(PROGRAM).exists():
            raise BrokerFault(INSTALL)
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen([PROGRAM, "-c", str(self._config)], stdout=log, stderr=log)
        ends_s = time.monotonic() + _STARTS_WITHIN_S
        while not listens(self.port):
            if self.process.poll() is not None or time.monotonic() > ends_s:
                message = f"mosquitto did not start: {self.log}"
                raise BrokerFault(message)
            time.sleep(0.02)

    def stop(self, *, kill: bool = False) -> None:
        """End it: asked, so that it writes what it keeps, or killed."""
        if self.process is None:
            return
        if kill:
            self.process.kill()
        else:
            self.process.terminate()
        try:
            self.process.wait(_STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def end(self) -> None:
        """End it whatever it does."""
        self.stop(kill=True)

    def usage(self) -> Usage:
        """What it uses at this moment; nothing while it is away."""
        return usage_of(self.process.pid) if self.process is not None else Usage(0, 0.0)

    @property
    def _config(self) -> Path:
        return self.folder / "broker" / broker_config.CONFIG

    def _issue(self, authority: Authority, doors: list[str], now: int) -> Path:
        folder, key = self.folder / "certificates", new_key()
        shared = self.folder / "shared"
        shared.mkdir()
        (shared / "ca.pem").write_bytes(authority.pem)
        (shared / "door.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        (shared / "door.key").chmod(0o600)
        for door in doors:
            own = folder / door
            own.mkdir(parents=True)
            name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, door)])
            request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
            issued = authority.issue_door(request.public_bytes(serialization.Encoding.PEM), door, _DAYS, now)
            (own / "door.pem").write_bytes(issued.pem)
            for name_of_file in ("ca.pem", "door.key"):
                (own / name_of_file).hardlink_to(shared / name_of_file)
        return folder

    def _give(self) -> None:
        """To the user that Mosquitto becomes, as the generated file tells people to."""
        if os.geteuid() == 0:
            user = pwd.getpwnam("mosquitto")
            for path in (self._config.parent, *self._config.parent.iterdir(), self.folder / "data"):
                os.chown(path, user.pw_uid, user.pw_gid)
