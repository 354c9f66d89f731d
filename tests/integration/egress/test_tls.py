"""The same over TLS: the broker stands in the street, and the wire between shows where to, and nothing readable.

What is inside was searched where it is plain (test_life.py): report does not know which way its messages go.
"""

import os
import pwd
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from device.desk.network import destinations as the_way
from device.desk.network import permitted
from device.desk.network.capture import Capture
from device.desk.network.destinations import Destinations, Going
from device.desk.network.owners import Owners
from device.edges import Room
from provisioning import broker_config
from provisioning.certificates import Authority, new_authority, new_key
from tests.integration.egress.test_life import DOOR_ID, PIN, SLOT
from tests.support.door import OPENED, PATIENCE_S, door_up
from tests.support.ports import own_port
from tests.support.room_process import short_root
from tools.broker import PROGRAM
from tools.egress import canaries, search, views
from tools.egress.namespace import CABLE, STREET, Street
from tools.egress.search import Sought
from tools.egress.streams import outside_tls, streams

DAYS = 30


@dataclass
class Passage:
    """What passed the cable."""

    capture: Capture
    broker: permitted.Place
    owners: Owners
    log: str
    sought: Sought

    @property
    def way(self) -> Destinations:
        allowed = permitted.permitted(f"mqtts://{self.broker.address}:{self.broker.port}", permitted.Board())
        return the_way.destinations(self.capture.packets, allowed, self.owners.of_itself())


def give_door_its_files(folder: Path, authority: Authority) -> None:
    """What joining leaves in report's state folder."""
    key = new_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DOOR_ID)])
    asked = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    issued = authority.issue_door(asked.public_bytes(serialization.Encoding.PEM), DOOR_ID, DAYS, int(time.time()))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    folder.mkdir(parents=True)
    for file, content in (("ca.pem", authority.pem), ("door.pem", issued.pem), ("door.key", secret)):
        (folder / file).write_bytes(content)
        (folder / file).chmod(0o600)


def give_broker_its_files(root: Path, authority: Authority, port: int) -> Path:
    """What `doorward broker config` writes, for Mosquitto's own user."""
    folder, data = root / "broker", root / "data"
    data.mkdir()
    place = broker_config.Place(PurePosixPath(folder), PurePosixPath(data), port, STREET)
    broker_config.write(folder, place, authority, [STREET], [], DAYS, int(time.time()))
    user = pwd.getpwnam("mosquitto")
    root.chmod(0o755)
    for path in (folder, *folder.iterdir(), data):
        os.chown(path, user.pw_uid, user.pw_gid)
    return folder / broker_config.CONFIG


@pytest.fixture(scope="module")
def passage(outside: Street) -> Iterator[Passage]:
    with short_root() as root:
        authority, port = new_authority(new_key(), int(time.time())), own_port()
        config = give_broker_its_files(root, authority, port)
        with outside.street.entered(), (root / "log").open("wb") as log:
            broker = subprocess.Popen([PROGRAM, "-v", "-c", str(config)], stdout=log, stderr=log)
        with outside.door.entered():
            capture = Capture()
        owners = Owners(simulated=True)
        try:
            url = f"mqtts://{STREET}:{port}"
            with capture, door_up(broker=url, cadence_s=1, door_id=DOOR_ID, started=False) as home:
                give_door_its_files(home.paths.state(Room.REPORT) / "tls", authority)
                with outside.door.entered():
                    home.up()
                    owners.look()
                invitation = home.move_in(SLOT, PIN)
                assert home.types(f"{SLOT}#{PIN}#") == OPENED
                heard = root / "log"
                ends = time.monotonic() + PATIENCE_S
                while heard.read_text(errors="replace").count(f"doorward/{DOOR_ID}/report") < 3:
                    assert time.monotonic() < ends, heard.read_text(errors="replace") + home.told()
                    time.sleep(0.1)
                home.down()
                capture.settle()
            capture.check()
            typed = {"the PIN": PIN, "the slot": str(SLOT), "the invitation": invitation.digits}
            plain = [canaries.digits(name, text) for name, text in typed.items()]
            known = canaries.secret("the id of the door", bytes.fromhex(DOOR_ID))
            place = permitted.Place(STREET, port, "tcp")
            yield Passage(capture, place, owners, heard.read_text(errors="replace"), Sought.of([*plain, known], {}))
        finally:
            broker.terminate()
            broker.wait(PATIENCE_S)


def test_everything_went_to_the_broker_and_no_name_was_asked_for(passage: Passage) -> None:
    assert passage.way.well, passage.way
    went = {each.place for each in passage.way.went if each.interface == CABLE and each.going is not Going.LINK}
    assert went == {passage.broker}


def test_nothing_on_the_cable_can_be_read(passage: Passage) -> None:
    passed = [each for each in streams(passage.capture.packets) if passage.broker in (each.source, each.target)]
    assert sum(len(each.data) for each in passed) > 3 * 384
    assert {outside_tls(each.data) for each in passed} == {b""}
    assert all(each.gaps == 0 for each in passed)


def test_not_even_the_door_is_named_on_the_cable(passage: Passage) -> None:
    cable = [packet for packet in passage.capture.packets if packet.interface == CABLE]
    result = search.search(views.views(cable), passage.sought)
    assert result.hits == ()
    assert result.conclusive, f"chance alone would make {result.by_chance} hits"
