"""A manager whose laptop was lost: revoked by a command, shut out at the real broker, while the others go on."""

from __future__ import annotations

import os
import pwd
import signal
import time
from pathlib import Path

from cryptography import x509

from provisioning import broker_config
from provisioning.errors import FleetFault
from provisioning.line import Line
from tests.support.office import Office
from tests.support.site import HOST, PATIENCE_S


def bring(office: Office, path: Path) -> None:
    """The list into the brokers' folder, as docs/broker.md says, and a HUP for both programs."""
    there = office.files / broker_config.REVOKED
    there.write_bytes(path.read_bytes())
    if os.geteuid() == 0:
        user = pwd.getpwnam("mosquitto")
        os.chown(there, user.pw_uid, user.pw_gid)
    for broker in office.brokers:
        broker.send_signal(signal.SIGHUP)


def until_refused(port: int, login: Path) -> None:
    """Return once whoever logs in so is refused at `port`: Mosquitto takes a moment, and says nothing about it."""
    ends = time.monotonic() + PATIENCE_S
    while True:
        with Line(HOST, port, login) as line:
            try:
                line.open()
            except FleetFault:
                return
        assert time.monotonic() < ends, "the broker still lets it in"


def test_revoked_manager_is_shut_out_at_both_ports_and_nobody_else_is(office: Office) -> None:
    lost, path = str(office.root / "watch"), office.root / "revoked.pem"
    listening = ("watch", "--once", "--no-renew")
    assert office.run(*listening, "--as", lost)[0] == 0
    office.done("manager", "revoke", "watch", "--list", str(path))
    assert office.run(*listening, "--as", lost)[0] == 0, "the broker has not heard of it yet"
    bring(office, path)
    for port in (office.where.port, office.where.claim_port + 1):
        until_refused(port, Path(lost))
    code, said = office.run(*listening, "--as", lost)
    assert (code, "cannot be reached" in said["reason"]) == (1, True)
    office.done("door", "add", "Front", "--broker", office.where.url)
    code, said = office.run("door", "approve", "Front", "--as", lost)
    assert (code, "cannot be reached" in said["reason"]) == (1, True)
    code, said = office.run("door", "approve", "Front")
    assert (code, "request is not at the broker" in said["reason"]) == (1, True), "the other manager comes in"
    assert office.run(*listening)[0] == 0


def test_a_watch_writes_the_list_and_says_until_when(office: Office) -> None:
    path = office.root / "kept.pem"
    office.done("manager", "revoke", "watch")
    assert office.done("watch", "--once", "--revoked", str(path))["news"] == 2  # connected, and the list
    (entry,) = x509.load_pem_x509_crl(path.read_bytes())
    revoked = {each["serial"] for each in office.done("manager", "list")["managers"] if each["revoked_unix"]}
    assert {f"{entry.serial_number:x}"} == revoked
