"""A revoked certificate at the real broker: what a HUP does, what only a restart does, and what a list's end does."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from cryptography import x509

from device.report.publisher import What
from device.report.tls import TlsFiles
from provisioning import broker_config, certificates
from provisioning.certificates import Issued
from provisioning.errors import FleetFault
from provisioning.line import Line
from provisioning.store import Revoked
from tests.support.site import HOST, PATIENCE_S, Site

DOOR, OTHER = "00112233445566ff", "ffeeddccbbaa9988"
REPORT = f"doorward/{DOOR}/report"


def serial_of(path: Path) -> str:
    return f"{x509.load_pem_x509_certificate(path.read_bytes()).serial_number:x}"


def listed(site: Site, *serials: str) -> Issued:
    now = int(time.time())
    return site.authority.list_revoked([Revoked(each, now, now + 9999) for each in serials], 30, now)


def bring(site: Site, issued: Issued) -> None:
    """The list into the broker's folder, and a HUP; returns once Mosquitto has said that it reads its files anew."""
    (site.folder / broker_config.REVOKED).write_bytes(issued.pem)
    assert site.process is not None
    reloaded = site.log.count("Reloading config.")
    site.process.send_signal(signal.SIGHUP)
    ends = time.monotonic() + PATIENCE_S
    while site.log.count("Reloading config.") == reloaded:
        assert time.monotonic() < ends, site.log
        time.sleep(0.02)


def comes_in(site: Site, door: str, folder: Path) -> str:
    """Why the broker does not let the door in; empty if it does."""
    with site.publisher(door, TlsFiles(folder, door).context) as client:
        return client.until(What.CONNECTED, What.LOST).why


def test_revoked_door_is_refused_once_the_broker_has_the_list_and_no_other_is(site: Site) -> None:
    mine, other = site.door_files(DOOR), site.door_files(OTHER)
    assert comes_in(site, DOOR, mine) == ""
    bring(site, listed(site, serial_of(mine / "door.pem")))
    assert "certificate revoked" in comes_in(site, DOOR, mine)
    assert comes_in(site, OTHER, other) == ""


def test_seeded_fault_a_broker_without_the_list_lets_it_in(unstarted: Site) -> None:
    unstarted.configure()
    unstarted.change(broker_config.CONFIG, f"crlfile {unstarted.folder / broker_config.REVOKED}\n", "")
    unstarted.start()
    mine = unstarted.door_files(DOOR)
    bring(unstarted, listed(unstarted, serial_of(mine / "door.pem")))
    assert comes_in(unstarted, DOOR, mine) == ""


def test_connection_that_is_up_ends_with_a_restart_and_not_with_a_hup(site: Site) -> None:
    mine = site.door_files(DOOR)
    with site.publisher(DOOR, TlsFiles(mine, DOOR).context) as door:
        door.until(What.CONNECTED)
        bring(site, listed(site, serial_of(mine / "door.pem")))
        assert door.publisher.publish(1, REPORT, b"well")
        assert door.until(What.ACCEPTED, What.LOST).what is What.ACCEPTED
        site.stop()
        site.start()
        door.until(What.LOST)
    assert "certificate revoked" in comes_in(site, DOOR, mine)


def test_revoked_manager_is_refused(site: Site, tmp_path: Path) -> None:
    pair = site.authority.issue_manager("office", 30, site.began_unix)
    for name, content in (
        ("manager.pem", pair.issued.pem),
        ("manager.key", pair.key_pem),
        ("ca.pem", site.authority.pem),
    ):
        (tmp_path / name).write_bytes(content)
    with Line(HOST, site.port, tmp_path) as line:
        line.open()
    bring(site, listed(site, serial_of(tmp_path / "manager.pem")))
    with Line(HOST, site.port, tmp_path) as line, pytest.raises(FleetFault, match="cannot be reached"):
        line.open()


def test_list_that_is_over_lets_nobody_in_until_there_is_a_newer_one(
    unstarted: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    unstarted.configure()
    monkeypatch.setattr(certificates, "_DAY_S", 1)
    short = unstarted.authority.list_revoked((), 1, int(time.time()))
    monkeypatch.undo()
    (unstarted.folder / broker_config.REVOKED).write_bytes(short.pem)
    unstarted.start()
    other = unstarted.door_files(OTHER)
    while time.time() <= short.ends_unix + 1:
        time.sleep(0.05)
    assert "certificate expired" in comes_in(unstarted, OTHER, other)
    bring(unstarted, listed(unstarted))
    assert comes_in(unstarted, OTHER, other) == ""
