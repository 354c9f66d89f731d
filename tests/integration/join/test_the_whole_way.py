"""A door joins by the broker, reports, gets documents, and gets its next certificate; all with real programs."""

import json
import os
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from device.edges import Room
from device.joining import HOUR_S
from provisioning import cli_join, labels
from provisioning import fleet as fleets
from provisioning.labels import Plan
from tests.integration.join.conftest import AGO_S, DAY_S
from tests.support.door import COMMANDS
from tests.support.office import Office, Watching
from tools.simulator.client import Door


def doorctl(door: Door, *words: str) -> dict[str, object]:
    done = subprocess.run(
        [COMMANDS / "doorctl", *words, "--json"],
        env={**os.environ, "DOORWARD_ROOT": str(door.root)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said: dict[str, object] = json.loads(done.stdout)
    return said


@pytest.mark.timeout(300)
def test_door_joins_at_the_broker_reports_gets_a_document_and_its_next_certificate(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    then = office.now_unix - AGO_S
    office.done("door", "add", "Front", "--no-label")
    fleet = fleets.open_fleet(office.folder)
    # The label is good today; the approval is dated back, so that the door's certificate is due for the next one.
    today = Plan.of(office.folder, office.where, 14, office.now_unix)
    label = labels.make(fleet, "Front", Plan(then, today.ends_unix, office.where, today.authority))
    assert label.expires_hour * HOUR_S > office.now_unix
    paper = tmp_path / "label"
    paper.write_text(label.text())
    door = Door(office.root / "d")
    up: list[str | Path] = [COMMANDS / "doorsim", "up", "--unjoined", "--cadence-s", "1", "--root", door.root]
    subprocess.run(up, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=True)
    try:
        shown = str(doorctl(door, "join", "--label", str(paper))["fingerprint"])
        assert office.run("door", "approve", "Front", "--fingerprint", "0" * 20)[0] == 1
        monkeypatch.setattr(cli_join, "time", SimpleNamespace(time=lambda: float(then)))
        approved = office.done("door", "approve", "Front", "--fingerprint", shown)
        assert approved["ends_unix"] == then + 365 * DAY_S
        with Watching(office) as watch:
            watch.until("online", door="Front")
            renewed = watch.until("renewed", door="Front")
            assert renewed["ends_unix"] > office.now_unix + 364 * DAY_S
            watch.until("report", door="Front", lock=True, docs=0)
            made = office.done("slot", "offer", "--door", "Front", "--slot", "12")
            office.done("door", "send", "Front", str(made["document"]))
            watch.until("report", door="Front", docs=made["version"])
            assert not [each for each in watch.news if each["event"] == "trouble"]
        assert "the door has a certificate until" in (door.paths.board / f"{Room.REPORT}.log").read_text()
        listed = office.done("door", "list")["doors"][0]
        assert (listed["state"], listed["certificate_ends_unix"]) == ("joined", renewed["ends_unix"])
        assert doorctl(door, "join")["waits"] is False
    finally:
        door.down()


@pytest.mark.timeout(120)
def test_watch_comes_back_by_itself_and_the_one_that_looks_once_ends(office: Office) -> None:
    with Watching(office) as watch:
        watch.until("connected")
        office.stop()
        assert watch.until("lost")["why"]
        office.start()
        ends = time.monotonic() + 60
        while [each["event"] for each in watch.news].count("connected") < 2:
            assert time.monotonic() < ends, watch.news
            time.sleep(0.05)
    code, said = office.run("watch", "--once", "--no-renew")
    assert (code, said["ok"], said["news"]) == (0, True, 1)  # that it is connected
