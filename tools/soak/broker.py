"""The fleet's broker as `doorward` sets it up: Mosquitto with TLS and certificates, and a manager who hears all.

Rules kept here:
- Its files are those that `provisioning.broker_config` writes, and the door's certificate is of the same authority.
- It listens on loopback alone. It can be stopped, started, paused and resumed; what it started it ends. Its number
  lies beside its files, for who has to end it should nobody else be left.
"""

from __future__ import annotations

import os
import pwd
import signal
import socket
import ssl
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from paho.mqtt.client import Client, MQTTMessage

from device.errors import BrokerFault
from device.report.guarded import GuardedClient
from provisioning import broker_config
from provisioning.broker_config import Place
from provisioning.certificates import Authority, new_authority, new_key
from tools.benchmark.guard import BROKER_PID
from tools.broker import INSTALL, PROGRAM, free_port
from tools.soak.messages import Messages

HOST: Final = "127.0.0.1"
DAYS: Final = 30
STARTS_WITHIN_S: Final = 20.0
MANAGER: Final = "office"
KEEPALIVE_S: Final = 15
USER: Final = "mosquitto"  # who it becomes if root starts it, as on a broker's machine


@dataclass
class FleetBroker:
    """A broker with its files below `root`, which everybody may enter."""

    root: Path
    port: int = field(default_factory=free_port)
    authority: Authority = field(default_factory=lambda: new_authority(new_key(), int(time.time()) - 3600))
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What stands in door.toml."""
        return f"mqtts://{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        """What it writes."""
        return self.root / "broker.log"

    def configure(self) -> None:
        """Write its files, and give them to the user that it becomes. Raises BrokerFault if it is not installed."""
        if not Path(PROGRAM).exists():
            raise BrokerFault(INSTALL)
        files, data = self.root / "broker", self.root / "data"
        data.mkdir(parents=True)
        place = Place(PurePosixPath(files), PurePosixPath(data), self.port, HOST)
        broker_config.write(files, place, self.authority, [HOST], [MANAGER], DAYS, int(time.time()))
        if os.geteuid() == 0:
            user = pwd.getpwnam(USER)
            for path in (files, *files.iterdir(), data):
                os.chown(path, user.pw_uid, user.pw_gid)

    def admit(self, door: str, folder: Path) -> None:
        """Put what the door `door` needs to come in into `folder`: its key, its certificate, the authority's."""
        key = new_key()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, door)])
        request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
        asked = request.public_bytes(serialization.Encoding.PEM)
        folder.mkdir(parents=True)
        (folder / "ca.pem").write_bytes(self.authority.pem)
        (folder / "door.pem").write_bytes(self.authority.issue_door(asked, door, DAYS, int(time.time())).pem)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / "door.key").write_bytes(private)
        (folder / "door.key").chmod(0o600)

    def start(self) -> None:
        """Return once it listens. Raises BrokerFault."""
        with self.log.open("ab") as log:
            command = [PROGRAM, "-c", str(self.root / "broker" / broker_config.CONFIG)]
            # In a session of its own: Ctrl-C at the terminal is for the soak, which has its last checks to make.
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        (self.root.parent / BROKER_PID).write_text(str(self.process.pid), encoding="ascii")
        ends = time.monotonic() + STARTS_WITHIN_S
        while not self._listens():
            if self.process.poll() is not None or time.monotonic() > ends:
                msg = f"mosquitto did not start: {self.log.read_text(errors='replace')[-500:]}"
                raise BrokerFault(msg)
            time.sleep(0.02)

    def stop(self) -> None:
        """End it; it keeps what waits for others."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(STARTS_WITHIN_S)
            self.process = None

    def pause(self) -> None:
        """It takes connections and answers nobody, as a machine that swaps."""
        if self.process is not None:
            self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)

    def hears(self) -> Listener:
        """A manager's computer, logged in by its certificate."""
        pair = self.authority.issue_manager(MANAGER, DAYS, int(time.time()))
        certificate, key = self.root / "manager.pem", self.root / "manager.key"
        certificate.write_bytes(pair.issued.pem)
        key.write_bytes(pair.key_pem)
        context = ssl.create_default_context(cadata=self.authority.pem.decode())
        context.load_cert_chain(certificate, key)
        return Listener(self.port, context)

    def _listens(self) -> bool:
        with socket.socket() as sock:
            return sock.connect_ex((HOST, self.port)) == 0


class Listener:
    """Hears all that doors say. Its thread ends with `close`."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self.messages = Messages()
        self._client = GuardedClient("x", lambda: context)
        self._client.on_connect = self._connected
        self._client.on_message = self._message
        self._client.connect_async(HOST, port, KEEPALIVE_S)
        self._client.loop_start()

    def close(self) -> None:
        """Say goodbye."""
        self._client.disconnect()
        self._client.loop_stop()
        self._client.on_connect = self._client.on_message = None
        if (left := self._client.socket()) is not None:
            left.close()

    def _connected(self, client: Client, _userdata: Any, _flags: Any, _reason: Any, _properties: Any) -> None:
        client.subscribe("#", 1)

    def _message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        self.messages.heard(message.topic, bytes(message.payload))
