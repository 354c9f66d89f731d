"""The claim port against a real broker: the request stands there, the answer is taken, nobody else is believed."""

import ipaddress
import select
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from device import certificates
from device.installing import Joining
from device.joining import Request
from device.report.broker import Broker
from device.report.claim import MqttClaim, answer_topic, request_topic
from device.report.joining import Joiner
from device.report.tls import TlsFiles
from tests.support.ports import own_port
from tests.unit.joining.papers import CLAIM_KEY, DOCUMENT_KEY, DOOR, Authority, label
from tools.broker import INSTALL, PROGRAM

PATIENCE_S = 20.0
NAME = DOOR.hex()


class Site:
    """A broker with a claim port over TLS and a plain port for the manager, on loopback."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.port, self.plain = own_port(), own_port()
        key = certificates.new_key()
        (folder / "key.pem").write_bytes(certificates.key_to_pem(key))
        (folder / "cert.pem").write_bytes(certificates.to_pem(_for_loopback(authority, key)))
        (folder / "acl").write_text(
            "pattern write doorward/claim/%c/request\npattern read doorward/claim/%c/answer\n", encoding="ascii"
        )
        (folder / "open").write_text("topic readwrite #\n", encoding="ascii")
        conf = folder / "mosquitto.conf"
        conf.write_text(
            f"per_listener_settings true\nuser root\n"
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nacl_file {folder}/acl\n"
            f"certfile {folder}/cert.pem\nkeyfile {folder}/key.pem\ntls_version tlsv1.3\n"
            f"listener {self.plain} 127.0.0.1\nallow_anonymous true\nacl_file {folder}/open\n",
            encoding="ascii",
        )
        self._process = subprocess.Popen([PROGRAM, "-c", str(conf)], stderr=subprocess.DEVNULL)
        until(lambda: _listens(self.plain))
        self.requests: list[bytes] = []
        self.manager = Client(CallbackAPIVersion.VERSION2, "manager")
        self.manager.on_message = self._came
        self.manager.connect("127.0.0.1", self.plain)
        self.manager.subscribe(request_topic(NAME), 1)
        self.manager.loop_start()

    def _came(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self.requests.append(bytes(message.payload))

    def answer(self, content: bytes) -> None:
        self.manager.publish(answer_topic(NAME), content, qos=1, retain=True).wait_for_publish(PATIENCE_S)

    def stop(self) -> None:
        self.manager.loop_stop()
        self.manager.disconnect()
        self._process.terminate()
        self._process.wait(10)


def _for_loopback(authority: Authority, key: certificates.DoorKey) -> bytes:
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=True)
        .sign(authority.key, hashes.SHA256())
    )
    return certificates.to_der(made)


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 0.2):
            return True
    except OSError:
        return False


def until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < ends
        select.select([], [], [], 0.02)


AUTHORITY = Authority.make("A fleet", began_days=400)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    if not Path(PROGRAM).exists():
        pytest.skip(INSTALL)
    folder = tmp_path / "broker"
    folder.mkdir()
    made = Site(folder, AUTHORITY)
    yield made
    made.stop()


class Door:
    def __init__(self, folder: Path, site: Site, authority: Authority = AUTHORITY) -> None:
        self.files = Joining(folder)
        hour = int(time.time()) // 3600 + 72
        self.files.prepare(label(authority, expires_hour=hour, host="127.0.0.1", claim_port=site.port))
        context = TlsFiles(self.files.tls, NAME).nameless_context
        self.claim = MqttClaim(NAME, Broker("127.0.0.1", site.port, tls=True), context, chance=lambda: 0.0)
        self.joiner = Joiner(self.files, DOOR, self.claim, time.time)


def test_a_door_asks_and_is_answered_though_wrong_answers_come_first(tmp_path: Path, site: Site) -> None:
    door = Door(tmp_path / "door", site)
    door.joiner.key_is(DOCUMENT_KEY)
    until(lambda: bool(site.requests))
    asked = Request.read(site.requests[0], CLAIM_KEY)
    site.answer(Authority.make().answer(asked, days=4000, began_days=400).pack())
    site.answer(b"?")
    assert not door.joiner.news()
    site.answer(AUTHORITY.answer(asked, days=4000, began_days=400).pack())
    until(door.joiner.news)
    door.joiner.stop()
    until(lambda: site.requests[-1] == b"")
    assert door.files.label() is None


def test_an_answer_that_waits_is_taken_by_a_door_that_was_away(tmp_path: Path, site: Site) -> None:
    door = Door(tmp_path / "door", site)
    asked = Request(DOOR, DOCUMENT_KEY, certificates.ask(door.files.key(), DOOR))
    site.answer(AUTHORITY.answer(asked, days=4000, began_days=400).pack())
    door.joiner.key_is(DOCUMENT_KEY)
    until(door.joiner.news)
    door.joiner.stop()


def test_a_flood_of_answers_fills_no_memory(tmp_path: Path, site: Site) -> None:
    """A broker need not keep to what it was told; what the loop has not read yet has a bound."""
    door = Door(tmp_path / "door", site)
    message = MQTTMessage()
    message.payload = b"?" * 1000
    for _ in range(1000):
        door.claim._on_message(door.claim._client, None, message)
    assert len(door.claim.events()) == 16
    door.claim._on_message(door.claim._client, None, message)
    assert len(door.claim.events()) == 1, "and it is listened to again"
    door.joiner.stop()


def test_a_broker_of_another_authority_gets_no_request(tmp_path: Path, site: Site) -> None:
    door = Door(tmp_path / "door", site, Authority.make("A fleet", began_days=400))
    door.joiner.key_is(DOCUMENT_KEY)
    until(lambda: bool(select.select([door.claim], [], [], 0.05)[0]))
    assert "certificate is not accepted" in " ".join(event.why for event in door.claim.events())
    assert not site.requests
    door.joiner.stop()
