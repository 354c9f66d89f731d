"""A whole life at a real door under packet capture: every canary is looked for in all that was sent, and none is there.

The door stands in a network namespace of its own with a cable to the street; its broker runs on the same machine, so
that everything it says can be read as plain MQTT. All interfaces are recorded.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from device import attestation, config, consent, manifest
from device.desk.network import destinations as the_way
from device.desk.network import permitted
from device.desk.network.capture import Capture
from device.desk.network.destinations import Destinations, Going
from device.desk.network.owners import Owners
from device.edges import Room
from device.manifest import Job
from device.paths import models_dir
from device.sealing.providers import Index, key_store
from device.sealing.store import Binding, SealedStore
from device.vault.expiry import Expiry
from device.vault.faces import Faces
from provisioning.invitation import Invitation
from tests.integration.door.test_guests import guestcodes
from tests.support.door import NOTED, OPENED, PATIENCE_S, REFUSED, Heard, Home, another_picture, door_up
from tests.support.door import resident_pictures as pictures
from tests.support.mosquitto import Mosquitto
from tests.support.ports import own_port
from tools.egress import canaries, search, views
from tools.egress.canaries import Canary, Vector
from tools.egress.namespace import CABLE, Street
from tools.egress.search import Result, Sought
from tools.simulator.cards.store import load

SLOT, PIN, NEW_PIN, DURESS, WRONG = 7391, "5820317469", "9041736258", "3175920846", "6605318924"
DOOR_ID = "00aa11bb22cc33dd"  # holds no canary
CADENCE_S = 2


@dataclass
class Life:
    """What was recorded, and what to look for in it."""

    capture: Capture
    home: Home
    broker: str
    sought: Sought
    owners: Owners
    audit: dict[str, object]

    @property
    def seen(self) -> views.Views:
        return views.views(self.capture.packets)


def sent(capture: Capture, ending: str) -> int:
    """How many messages went to topics with this ending."""
    return sum(each.topic.endswith(ending) for each in views.views(capture.packets).messages)


def wait_for(capture: Capture, ending: str, count: int) -> None:
    ends = time.monotonic() + PATIENCE_S
    while sent(capture, ending) < count:
        assert time.monotonic() < ends, f"too few messages on {ending}"
        time.sleep(0.2)


def faces_of(home: Home, folder: Path) -> dict[str, Vector]:
    """The enrolled template as it lies on the disk, and as eye made it, out of a copy of vault's folder."""
    door = config.load(home.paths.config)
    copy = folder / "vault"
    shutil.copytree(home.paths.state(Room.VAULT), copy)
    embedder = manifest.load(models_dir()).for_job(Job.EMBED)
    root_key = (home.paths.config.parent / "credentials" / "vault" / "vault.key").read_bytes()
    keys = key_store(door.vault.key_store, copy / "epoch.key", root_key, Index.VAULT, door.tpm.tcti)
    store = SealedStore.open(copy, keys, Binding(bytes.fromhex(DOOR_ID), "face", embedder.sha256))
    faces = Faces(store, consent.terms_of(door, embedder.sha256).hash, Expiry(10**12))
    template = np.frombuffer(faces._records[SLOT].template, dtype="<f4").astype(np.float32)
    return {"the template": template, "the embedding": faces._rotation.undo(template)}


def keys_of(home: Home) -> list[Canary]:
    folder = home.paths.config.parent / "credentials"
    return [canaries.secret(f"the key of {path.stem}", path.read_bytes()) for path in sorted(folder.rglob("*.key"))]


def card_of(path: Path) -> list[Canary]:
    memory = load(path)
    written = {key.value for each in memory.applications.values() for key in each.keys} - {bytes(16)}
    assert written, "the door has put keys on the card"
    keys = [canaries.secret(f"key {number} of the card", key) for number, key in enumerate(sorted(written))]
    return [canaries.secret("the number of the card", memory.uid), *keys]


def papers_of(folder: Path) -> list[Canary]:
    record = attestation.read((folder / "consent.txt").read_text()).paper
    receipt = attestation.read((folder / "receipt.txt").read_text()).paper
    assert isinstance(record, attestation.ConsentRecord)
    assert isinstance(receipt, attestation.Receipt)
    assert receipt.consent_id == record.consent_id
    return [
        canaries.secret("the id of the consent", record.consent_id),
        canaries.secret("the id of the record", receipt.record_id),
        canaries.secret("the mark of the record", receipt.mark),
    ]


def lived(home: Home, folder: Path) -> tuple[Sought, list[Heard]]:
    """Move in, enrol, come home by every means, be forced, mistype, erase; what is to be looked for."""
    invitation: Invitation = home.move_in(SLOT, PIN)
    said = home.enrol(SLOT, PIN, *pictures(), wishes=("--copy", str(folder / "consent.txt")))
    assert said.facts["result"] == "done", said
    faces = faces_of(home, folder)
    heard = [home.looks(another_picture()), home.types(f"{SLOT}#{PIN}#")]
    assert home.types(f"{SLOT}#{WRONG}#") == REFUSED
    secret = str(guestcodes("", "new")["secret"]).replace(" ", "")
    assert home.types(f"09#{SLOT}#{PIN}#{secret}#") == NOTED
    code = str(guestcodes(secret, "once", "--flat", str(SLOT), "--count", "1")["codes"][0]["digits"])
    heard.append(home.types(f"{SLOT}#{code}#"))
    assert home.types(f"010#{SLOT}#{PIN}#{DURESS}#{DURESS}#") == NOTED
    heard.append(home.types(f"{SLOT}#{DURESS}#"))
    card = folder / "card.json"
    assert home.doorsim("card", "new", str(card), "--kind", "ntag424").code == 0
    assert home.types(f"07#{SLOT}#{PIN}#") == NOTED
    assert home.does(lambda: home.door.tap(card)) == Heard("DONE", opened=False)
    heard.append(home.does(lambda: home.door.tap(card)))
    assert home.types(f"05#{SLOT}#{PIN}#{NEW_PIN}#{NEW_PIN}#") == NOTED
    assert home.act("erase", SLOT, NEW_PIN, "--receipt", str(folder / "receipt.txt")).facts["result"] == "done"
    typed = {
        "the PIN": PIN,
        "the new PIN": NEW_PIN,
        "the duress PIN": DURESS,
        "the wrong PIN": WRONG,
        "the invitation": invitation.digits,
        "the guests' secret": secret,
        "the guest's code": code,
        "the slot": str(SLOT),
    }
    plain = [canaries.digits(name, text) for name, text in typed.items()]
    return Sought.of([*plain, *keys_of(home), *card_of(card), *papers_of(folder)], faces), heard


@pytest.fixture(scope="module")
def life(outside: Street, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    folder = tmp_path_factory.mktemp("life")
    broker = Mosquitto(folder / "broker", own_port())
    owners = Owners(simulated=True)
    with outside.door.entered():
        capture = Capture()
        broker.start()
    try:
        with (
            capture,
            door_up(broker=broker.url, cadence_s=CADENCE_S, door_id=DOOR_ID, window_s=4, started=False) as home,
        ):
            with outside.door.entered():
                home.up()
                owners.look()
            sought, heard = lived(home, folder)
            assert heard == [OPENED] * 5
            wait_for(capture, "/alarm", 1)
            with outside.door.entered():
                audit = home.doorctl("audit", "--network", "--seconds", "1")
            home.door.kill(Room.REPORT)  # and so it connects anew
            wait_for(capture, "/report", sent(capture, "/report") + 2)
            with outside.door.entered():
                owners.look()
            home.down()
            capture.settle()
            assert audit.code == 0, audit
            yield Life(capture, home, broker.url, sought, owners, audit.facts)
    finally:
        broker.stop()


@pytest.fixture(scope="module")
def result(life: Life) -> Result:
    life.capture.check()
    return search.search(life.seen, life.sought)


def test_the_life_was_told_to_the_broker_and_recorded(life: Life) -> None:
    assert life.capture.lost == 0
    assert sent(life.capture, "/alarm") >= 1, "the duress PIN called for help"
    assert sent(life.capture, "/report") >= 5


def test_none_of_the_canaries_left_the_door(result: Result) -> None:
    assert result.hits == ()


def test_the_search_would_have_found_what_is_there(life: Life) -> None:
    control = Sought.of([canaries.secret("the id of the door", bytes.fromhex(DOOR_ID))], {})
    assert search.search(life.seen, control).found == {"the id of the door"}


def test_the_search_is_worth_something(result: Result) -> None:
    assert result.conclusive, f"chance alone would make {result.by_chance} hits"
    assert result.bounds.numbers[32] < 0.95, "eight bits a number still stand out in the shortest run"
    assert result.forms > 500


def way_of(life: Life) -> Destinations:
    allowed = permitted.permitted(life.broker, permitted.Board())
    return the_way.destinations(life.capture.packets, allowed, life.owners.of_itself())


def test_every_packet_went_to_the_broker_and_no_name_was_asked_for(life: Life) -> None:
    way = way_of(life)
    assert way.well, way
    assert way.names == ()
    assert {each.interface for each in way.went if each.going is not Going.LINK} == {"lo"}
    assert {each.place.port for each in way.went if each.going is Going.PERMITTED} == {int(life.broker.rsplit(":")[-1])}


def test_the_cable_to_the_street_carried_nothing_but_the_link(life: Life) -> None:
    assert {each.going for each in way_of(life).went if each.interface == CABLE} <= {Going.LINK}


def test_nothing_that_report_keeps_holds_a_canary(life: Life) -> None:
    folders = (life.home.paths.state(Room.REPORT), life.home.paths.run / "report")
    files = [(path.name, path.read_bytes()) for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert {"outbox.sqlite", "ledger"} <= {name for name, _ in files}
    assert search.search(views.of_files(files), life.sought).hits == ()


def test_the_audit_of_the_living_door_says_the_same(life: Life) -> None:
    assert life.audit["names"] == []
    processes = life.audit["processes"]
    assert isinstance(processes, list)
    assert {each["who"] for each in processes} == {"report"}
    assert life.audit["permitted"] == [f"{life.broker.removeprefix('mqtt://')}/tcp: the broker"]


def test_without_root_the_audit_says_one_sentence(life: Life) -> None:
    command = [*life.home.command("doorctl", "audit", "--network", "--seconds", "1")]
    unable = ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw", "--", *command]
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed; run: sudo apt-get install -y util-linux")
    said = subprocess.run(unable, env=life.home.environ(), capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (1, "Listening to the network needs root; try again with sudo.\n")
