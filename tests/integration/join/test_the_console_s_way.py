"""A door that a manager lets join, sends a document to and renews in the console; with real brokers and a real door."""

from __future__ import annotations

import re
import subprocess
import time
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import pytest

from device.edges import Room
from provisioning import cli_join, labels
from provisioning import fleet as fleets
from provisioning.labels import Plan
from provisioning.store import DoorState
from tests.integration.join.conftest import AGO_S, DAY_S
from tests.integration.join.test_the_whole_way import doorctl
from tests.support.console_http import Visitor, alert_of, visiting
from tests.support.console_site import Served, served
from tests.support.door import COMMANDS
from tests.support.office import PASSPHRASE, Office
from tools.simulator.client import Door


def console(office: Office) -> tuple[str, ...]:
    """The options with which the console hears the office's brokers."""
    port = str(office.where.claim_port)
    return "--broker", office.where.url, "--claim-port", port, "--as", str(office.login)


def up(office: Office) -> Door:
    door = Door(office.root / "d")
    words: list[str | Path] = [COMMANDS / "doorsim", "up", "--unjoined", "--cadence-s", "1", "--root", door.root]
    subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=True)
    return door


def label(visitor: Visitor, at: str) -> str:
    made = visitor.send(f"{at}/label", f"{at}/joining", days="14")
    found = re.search(r"<pre[^>]*>(.*?)</pre>", made.text, re.DOTALL)
    assert found is not None, alert_of(made)
    return unescape(found[1])


def applied(text: str) -> str:
    found = re.search(r'data-live="documents">([^<]*)<', text)
    assert found is not None
    return found[1]


@pytest.mark.timeout(300)
def test_a_door_joins_by_the_console_and_receives_what_it_sends_by_the_broker(office: Office, tmp_path: Path) -> None:
    with served(office.folder, *console(office)) as running, visiting(running) as visitor:
        said = visitor.send("/doors", "/import", name="Front")
        at = said.headers["location"].removesuffix("/joining")
        none = visitor.send(f"{at}/request", f"{at}/joining", by="broker")
        assert "is not at the broker" in alert_of(none)
        paper = tmp_path / "label"
        paper.write_text(label(visitor, at))
        door = up(office)
        try:
            fingerprint = str(doorctl(door, "join", "--label", str(paper))["fingerprint"])
            shown = visitor.send(f"{at}/request", f"{at}/joining", by="broker")
            assert f'id="fingerprint">{fingerprint}<' in shown.text, alert_of(shown)
            approved = visitor.follow(shown, f"{at}/approve", same="yes", passphrase=PASSPHRASE)
            assert "where the door fetches it" in approved.text, alert_of(approved)
            visitor.until(at, lambda text: 'data-health="well"' in text and applied(text) == "0")
            offer = {"slot": "12", "days": "14", "passphrase": PASSPHRASE}
            sent = visitor.send(f"{at}/offer", at, **offer, send="yes")
            assert "The document is at the broker" in sent.text, alert_of(sent)
            visitor.until(at, lambda text: applied(text) == "1")
            acts = [act.command for act in running.fleet.store.acts(100)]
            assert acts[-2:] == ["slot offer", "door send"]
            _broker_away(office, running, visitor, at)
            visitor.until(at, lambda text: applied(text) == "1" and 'data-health="well"' in text)
            again = visitor.send(f"{at}/offer", at, slot="14", days="14", passphrase=PASSPHRASE, send="yes")
            assert "The document is at the broker" in again.text, alert_of(again)
            visitor.until(at, lambda text: applied(text) == "3")
        finally:
            door.down()


def _broker_away(office: Office, running: Served, visitor: Visitor, at: str) -> None:
    """What is offered meanwhile is said not to be sent, and not lost; the page says that the broker is away."""
    office.stop()
    visitor.until(at, lambda text: "The broker is away" in text)
    kept = visitor.send(f"{at}/offer", at, slot="13", days="14", passphrase=PASSPHRASE, send="yes")
    assert 'id="invitation"' in kept.text
    assert "cannot be reached" in alert_of(kept)
    name = re.search(r"/documents/([0-9a-f]{16}-2\.doc)", kept.text)
    assert name is not None
    assert visitor.client.get(f"/documents/{name[1]}").content == (office.folder / name[1]).read_bytes()
    assert [act.command for act in running.fleet.store.acts(100)][-1] == "slot offer"
    none = visitor.send(f"{at}/request", f"{at}/joining", by="broker")
    assert "cannot be reached" in alert_of(none)
    office.start()


@pytest.mark.timeout(300)
def test_a_door_that_asks_gets_its_next_certificate_from_the_console(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    then = office.now_unix - AGO_S
    added = office.done("door", "add", "Front", "--no-label")
    fleet = fleets.open_fleet(office.folder)
    today = Plan.of(office.folder, office.where, 14, office.now_unix)
    made = labels.make(fleet, "Front", Plan(then, today.ends_unix, office.where, today.authority))
    paper = tmp_path / "label"
    paper.write_text(made.text())
    door, at = up(office), f"/doors/{added['id']}"
    try:
        shown = str(doorctl(door, "join", "--label", str(paper))["fingerprint"])
        monkeypatch.setattr(cli_join, "time", SimpleNamespace(time=lambda: float(then)))
        office.done("door", "approve", "Front", "--fingerprint", shown)
        with served(office.folder, *console(office)) as running, visiting(running) as visitor:
            text = visitor.until(f"{at}/certificate", lambda text: "asks for its next certificate" in text)
            assert 'name="by" value="broker"' in text
            said = visitor.send(f"{at}/renew", f"{at}/certificate", by="broker", passphrase=PASSPHRASE)
            assert "where the door fetches it" in said.text, alert_of(said)
            ends = running.fleet.store.door("Front").not_after_unix
            assert ends is not None
            assert ends > office.now_unix + 364 * DAY_S
            assert running.fleet.store.door("Front").state is DoorState.JOINED
            assert "asks for its next certificate" not in visitor.text(f"{at}/certificate")
            log, limit = door.paths.board / f"{Room.REPORT}.log", time.monotonic() + 60
            while "the door has a certificate until" not in log.read_text():
                assert time.monotonic() < limit, log.read_text()
                time.sleep(0.1)
    finally:
        door.down()
