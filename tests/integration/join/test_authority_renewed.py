"""The fleet's authority goes on while its doors report; and a door that slept until all of it was over comes back.

`doorward ca renew` with real brokers, real doors and `doorward watch`: "The authority's end" in docs/fleet.md.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography import x509
from nacl.pwhash import argon2id

from device import installing
from device.edges import Room
from device.installing import Joining
from device.joining import Answer, Label
from provisioning import authority, broker_config, cli_join, keys, labels
from provisioning import fleet as fleets
from provisioning.certificates import AUTHORITY_DAYS
from provisioning.labels import Plan, Where
from tests.integration.join.conftest import AGO_S, DAY_S
from tests.support.door import OPENED, PATIENCE_S, Home, Manager, door_up
from tests.support.office import PASSPHRASE, Office, Watching
from tests.support.ports import own_port
from tests.support.room_process import short_root
from tests.support.site import HOST
from tools.broker import INSTALL, PROGRAM

SLOT, PIN = 12, "482913"
LONG_S = 120.0  # a door that could not connect tries again ever more rarely


def waits(condition: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < ends, what
        time.sleep(0.05)


def joins(office: Office, home: Home, made: Label, folder: Path, then_unix: int) -> None:
    """`home` joins by file as `made` says; the manager approves at `then_unix`, and the door believes no clock."""
    files = Joining(home.paths.state(Room.REPORT))
    files.prepare(made)
    installing.store(installing.joined(home.paths.config), installing.settings(made).encode())
    home.up()
    home.well()
    asked, answer = folder / "asked", folder / "answer"
    shown = str(home.doorctl("join", "--out", str(asked)).facts["fingerprint"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli_join, "time", SimpleNamespace(time=lambda: float(then_unix)))
        office.done("door", "approve", "Front", str(asked), "--fingerprint", shown, "--out", str(answer))
    files.install(Answer.read(answer.read_bytes()), made.door_id, None)


def labelled(office: Office, then_unix: int) -> Label:
    """A door by the name of Front, and its label as it was made at `then_unix`."""
    office.done("door", "add", "Front", "--no-label")
    where = Where(HOST, office.port)
    known = Plan.of(office.folder, where, 14, then_unix).authority
    return labels.make(fleets.open_fleet(office.folder), "Front", Plan(then_unix, then_unix + 14 * DAY_S, where, known))


def door_of(office: Office, made: Label) -> AbstractContextManager[Home]:
    manager = Manager(fleets.open_fleet(office.folder).unlock(PASSPHRASE))
    return door_up(broker=made.broker, cadence_s=1, door_id=made.door_id.hex(), manager=manager, started=False)


def known_at(home: Home) -> x509.Certificate:
    """The authority as the door knows it."""
    return x509.load_pem_x509_certificate((home.paths.state(Room.REPORT) / "tls" / "ca.pem").read_bytes())


@pytest.mark.timeout(400)
def test_renewed_authority_reaches_a_door_with_its_next_certificate_and_it_goes_on_talking(
    office: Office, tmp_path: Path
) -> None:
    then = office.now_unix - AGO_S
    made = labelled(office, then)
    with door_of(office, made) as home:
        joins(office, home, made, tmp_path, then)
        first = authority.certificate(office.folder)
        assert known_at(home) == first
        office.done("ca", "renew")
        following = authority.certificate(office.folder)
        assert following.not_valid_after_utc > first.not_valid_after_utc
        with Watching(office) as watch:
            watch.until("renewed", LONG_S, door="Front")
            waits(lambda: known_at(home) == following, "the door knows the renewed authority")
            watch.until("report", door="Front", lock=True)

        # Now brokers and managers, as the page says; none of them shows the first one any more.
        office.stop()
        shutil.rmtree(office.files)
        office.configure()
        newest = authority.newest(office.folder)
        assert newest.name == "ca-2.pem"
        assert (office.files / broker_config.CA).read_bytes() == newest.read_bytes()
        for login in (office.login, office.root / "watch"):
            shutil.copy(newest, login / "ca.pem")
        office.start()
        with Watching(office) as watch:
            sent = office.done("slot", "offer", "--door", "Front", "--slot", str(SLOT))
            office.done("door", "send", "Front", str(sent["document"]))
            watch.until("report", LONG_S, door="Front", docs=sent["version"], well=True)
            assert not [each for each in watch.news if each["event"] == "trouble"]


@pytest.fixture
def old_office(monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """Its authority ended yesterday; nobody serves yet."""
    if not Path(PROGRAM).exists():
        pytest.skip(INSTALL)
    monkeypatch.setattr(keys, "AT_REST", keys.Hardness(argon2id.OPSLIMIT_MIN, argon2id.MEMLIMIT_MIN))
    with short_root() as root:
        root.chmod(0o755)  # Mosquitto becomes another user
        made = Office(root, own_port(3))
        made.done("fleet", "init")
        authority.create(made.folder, PASSPHRASE, made.now_unix - (AUTHORITY_DAYS + 1) * DAY_S)
        try:
            yield made
        finally:
            made.stop()


@pytest.mark.timeout(400)
def test_door_that_slept_until_authority_and_certificate_were_over_is_told_what_helps_and_it_does(
    old_office: Office, tmp_path: Path
) -> None:
    office, then = old_office, old_office.now_unix - AGO_S
    made = labelled(office, then)
    with door_of(office, made) as home:
        joins(office, home, made, tmp_path, then)
        office.done("ca", "renew")
        office.serve()
        office.start()
        waits(lambda: "the door's certificate has ended; `doorctl join --out FILE`" in home.told(), "it is said")
        home.move_in(SLOT, PIN)
        assert home.types(f"{SLOT}#{PIN}#") == OPENED, "a broker is nothing to a resident"
        home.goes_in()

        asked, answer = tmp_path / "next", tmp_path / "next-answer"
        assert home.doorctl("join", "--out", str(asked)).code == 0
        office.done("door", "renew", "Front", str(asked), "--out", str(answer))
        assert home.doorctl("join", "--answer", str(answer)).code == 0
        assert known_at(home) == authority.certificate(office.folder)
        with Watching(office) as watch:
            watch.until("report", LONG_S, door="Front", lock=True)
