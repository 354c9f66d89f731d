"""A fleet with an authority, the real Mosquitto started from the very files that doorward writes, and its clients."""

import os
import pwd
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from device.report.broker import Broker
from device.report.mqtt import MqttPublisher
from device.report.publisher import Event, What
from device.report.tls import TlsFiles
from provisioning import broker_config
from provisioning.broker_config import Place
from provisioning.certificates import Authority, new_key
from tools.broker import PROGRAM

PATIENCE_S = 20.0
DAY_S = 86400
HOST = "127.0.0.1"


def request_for(door: str, key: ec.EllipticCurvePrivateKey) -> bytes:
    """What a door asks the authority with."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, door)])
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)


def written(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A key's PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@dataclass
class Site:
    """A fleet's authority, its broker, and folders for everybody's certificates."""

    root: Path
    authority: Authority
    port: int
    process: subprocess.Popen[bytes] | None = None
    began_unix: int = field(default_factory=lambda: int(time.time()))

    @property
    def folder(self) -> Path:
        """The broker's files."""
        return self.root / "broker"

    @property
    def log(self) -> str:
        """What the broker said."""
        return (self.root / "log").read_text(errors="replace")

    def configure(self, names: tuple[str, ...] = (HOST,), authority: Authority | None = None) -> None:
        """Write the broker's files as doorward does, and give them to Mosquitto's user as they tell people to."""
        data = self.root / "data"
        data.mkdir()
        place = Place(PurePosixPath(self.folder), PurePosixPath(data), self.port, HOST)
        issuer = authority or self.authority
        broker_config.write(self.folder, place, issuer, names, ["office"], 30, self.began_unix)
        with (self.folder / broker_config.CONFIG).open("a") as config:
            config.write("log_type information\n")  # who came and when it runs, for the test to see
        self.give()

    def give(self) -> None:
        """What the header of mosquitto.conf says to do."""
        if os.geteuid() == 0:
            user = pwd.getpwnam("mosquitto")
            for path in (self.folder, *self.folder.iterdir(), self.root / "data"):
                os.chown(path, user.pw_uid, user.pw_gid)

    def change(self, name: str, old: str, new: str) -> None:
        """Change one of the generated files."""
        path = self.folder / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def start(self) -> None:
        """Return once the broker listens."""
        ran = self.log.count(" running\n")
        with (self.root / "log").open("ab") as log:
            command = [PROGRAM, "-c", str(self.folder / broker_config.CONFIG)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        ends = time.monotonic() + PATIENCE_S
        while self.log.count(" running\n") == ran:
            assert self.process.poll() is None, self.log
            assert time.monotonic() < ends, self.log
            time.sleep(0.02)

    def stop(self) -> None:
        """End it; it writes what it keeps."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE_S)
            self.process = None

    def door_files(
        self, door: str, *, named: str = "", authority: Authority | None = None, now_unix: int = 0, days: int = 30
    ) -> Path:
        """A door's folder tls/, with a certificate for the door `named` (itself) from that authority."""
        folder = self.root / "doors" / door
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        key = new_key()
        issuer, name = authority or self.authority, named or door
        issued = issuer.issue_door(request_for(name, key), name, days, now_unix or self.began_unix)
        (folder / "ca.pem").write_bytes(self.authority.pem)
        (folder / "door.pem").write_bytes(issued.pem)
        (folder / "door.key").write_bytes(written(key))
        (folder / "door.key").chmod(0o600)
        return folder

    def publisher(self, door: str, make_context: Callable[[], ssl.SSLContext] | None = None) -> "Told":
        """The door's real publisher; with its own files unless something else is asked for."""
        return Told(door, self.port, make_context or TlsFiles(self.door_files(door), door).context)

    def manager(self) -> "Party":
        """A manager's computer, logged in and hearing everything it may."""
        pair = self.authority.issue_manager("office", 30, self.began_unix)
        folder = self.root / "manager"
        folder.mkdir(exist_ok=True)
        (folder / "pem").write_bytes(pair.issued.pem)
        (folder / "key").write_bytes(pair.key_pem)
        return Party(self, context_of(self.authority.pem, folder / "pem", folder / "key"), "#")


def context_of(authority: bytes, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """A client's TLS, with a certificate or without."""
    context = ssl.create_default_context(cadata=authority.decode())
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context


class Told:
    """A door's publisher and what it told."""

    def __init__(self, door: str, port: int, make_context: Callable[[], ssl.SSLContext]) -> None:
        where = Broker(HOST, port, tls=True)
        self.publisher = MqttPublisher(door, where, chance=lambda: 0.0, make_context=make_context)
        self.documents: list[bytes] = []
        self._events: list[Event] = []

    def __enter__(self) -> Self:
        self.publisher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.publisher.stop()

    def until(self, *wanted: What) -> Event:
        """The next event of these kinds; documents are settled and kept on the way."""
        ends = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends:
            self._events += self.publisher.events()
            while self._events:
                event = self._events.pop(0)
                if event.what is What.DOCUMENT:
                    self.documents.append(event.content)
                    self.publisher.settle(event.row)
                if event.what in wanted:
                    return event
            time.sleep(0.01)
        message = f"none of {wanted}"
        raise AssertionError(message)


class Party:
    """Somebody at the broker, played with paho alone: it knows nothing of our rules."""

    def __init__(self, site: Site, context: ssl.SSLContext | None, topics: str = "", client_id: str = "x") -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.answers: dict[int, str] = {}
        self.ends: list[str] = []
        self.joined = False
        self._client = client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv5)
        if context is not None:
            client.tls_set_context(context)
        client.on_connect = self._connected
        client.on_message = self._message
        client.on_publish = self._published
        client.on_disconnect = self._disconnected
        self._topics = topics
        self._subscribed = not topics
        client.on_subscribe = self._granted
        client.connect(HOST, site.port)
        client.loop_start()

    def __enter__(self) -> Self:
        self.wait(lambda: self.joined and self._subscribed)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye."""
        self._client.disconnect()
        self._client.loop_stop()
        self._client.on_connect = self._client.on_message = self._client.on_publish = None
        self._client.on_disconnect = self._client.on_subscribe = None
        if (left := self._client.socket()) is not None:
            left.close()

    def wait(self, wanted: Callable[[], bool]) -> None:
        """Return once `wanted` is true."""
        ends = time.monotonic() + PATIENCE_S
        while not wanted():
            assert time.monotonic() < ends, (self.heard, self.answers, self.ends)
            time.sleep(0.01)

    def listen(self, topic: str) -> None:
        """Subscribe to one more topic; return when the broker has answered."""
        self._subscribed = False
        self._client.subscribe(topic, 1)
        self.wait(lambda: self._subscribed)

    def say(self, topic: str, content: bytes, *, retain: bool = False) -> str:
        """Publish; the broker's answer in words."""
        number = self._client.publish(topic, content, qos=1, retain=retain).mid
        self.wait(lambda: number in self.answers)
        return self.answers[number]

    def _connected(self, client: Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.joined = not reason.is_failure
        if self.joined and self._topics:
            client.subscribe(self._topics, 1)

    def _granted(self, *_: Any) -> None:
        self._subscribed = True

    def _message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        self.heard.append((message.topic, bytes(message.payload)))

    def _published(self, _client: Client, _userdata: Any, number: int, reason: Any, _properties: Any) -> None:
        self.answers[number] = str(reason)

    def _disconnected(self, _client: Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.ends.append(str(reason))
