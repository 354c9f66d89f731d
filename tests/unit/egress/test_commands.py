"""What a person types: `doorctl audit --network` and `python -m tools.egress`, without root and with wrong input."""

import json
import socket
import struct
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from device.desk import cli
from device.desk.network import audit, permitted
from device.desk.network.audit import Heard
from device.desk.network.owners import Owners
from tests.unit.egress import wire
from tools.egress import __main__ as command
from tools.egress import pcap
from tools.egress.pcap import RecordingRefused

TOML = f'[door]\nid = "00112233445566ff"\n[report]\nbroker = "mqtts://{wire.BROKER}"\n'


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "etc/doorward/door.toml"
    path.parent.mkdir(parents=True)
    path.write_text(TOML)
    monkeypatch.setenv("DOORWARD_ROOT", str(tmp_path))
    return path


def doorctl(*words: str) -> Result:
    return CliRunner().invoke(cli.cli, ["audit", *words], prog_name="doorctl")


def no_packet_socket(*_: object) -> socket.socket:
    raise PermissionError(1, "Operation not permitted")


@pytest.mark.usefixtures("door")
def test_without_root_the_audit_says_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", no_packet_socket)
    said = doorctl("--network", "--seconds", "1")
    assert (said.exit_code, said.stderr) == (1, "Listening to the network needs root; try again with sudo.\n")
    told = doorctl("--network", "--json")
    assert json.loads(told.stdout)["ok"] is False


def test_options_that_do_not_belong_together_are_a_usage_error(door: Path) -> None:
    assert doorctl("--seconds", "3").exit_code == 2
    assert doorctl("--network", "--receipt", str(door)).exit_code == 2
    assert doorctl("--network", "--seconds", "0").exit_code == 2


@pytest.mark.usefixtures("door")
def test_the_audit_fails_with_the_check_that_failed_and_says_its_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = permitted.permitted(f"mqtts://{wire.BROKER}", permitted.Board())
    stray = Heard((wire.over_tcp(to=(wire.STRANGER, 443), flags=wire.SYN),), allowed, Owners(simulated=True))
    monkeypatch.setattr(audit, "listen", lambda *_, **__: stray)
    said = doorctl("--network")
    assert (said.exit_code, said.stderr) == (1, "Not well: destinations.\n")
    assert all(limit in said.stdout for limit in audit.CANNOT_SHOW)
    told = json.loads(doorctl("--network", "--json").stdout)
    assert told["went"][0]["way"] == "forbidden"


# ---- recordings of others


def recorded(*contents: bytes, link: int = 1, order: str = "<") -> bytes:
    head = struct.pack(f"{order}IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, link)
    frames = [bytes(12) + b"\x08\x00" + content if link == 1 else content for content in contents]
    return head + b"".join(struct.pack(f"{order}IIII", 1, 2, len(each), len(each)) + each for each in frames)


SAID = wire.ipv4(wire.HERE, wire.BROKER, 6, wire.tcp(40000, 8883, b"n 7391 "))
HEARD = wire.ipv4(wire.BROKER, wire.HERE, 6, wire.tcp(8883, 40000, b"ok"))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("link", [1, 101])
def test_a_recording_of_tcpdump_is_read(tmp_path: Path, order: str, link: int) -> None:
    (tmp_path / "a.pcap").write_bytes(recorded(SAID, HEARD, link=link, order=order))
    found = pcap.read(tmp_path / "a.pcap")
    assert [(each.target, each.payload) for each in found] == [(wire.BROKER, b"n 7391 "), (wire.HERE, b"ok")]
    allowed = permitted.permitted(f"mqtts://{wire.BROKER}", permitted.Board())
    assert [each.outgoing for each in pcap.going_out(found, allowed)] == [True, False]


@pytest.mark.parametrize("content", [b"", b"\x0a\x0d\x0d\x0a" + bytes(40), recorded(SAID)[:-1], recorded(SAID)[:30]])
def test_what_is_no_whole_recording_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pcap").write_bytes(content)
    with pytest.raises(RecordingRefused, match=r"recording|cut short"):
        pcap.read(tmp_path / "a.pcap")


def searched(tmp_path: Path, canaries: str) -> Result:
    (tmp_path / "a.pcap").write_bytes(recorded(SAID, HEARD))
    (tmp_path / "canaries.json").write_text(canaries)
    (tmp_path / "door.toml").write_text(TOML)
    files = ("--pcap", str(tmp_path / "a.pcap"), "--canaries", str(tmp_path / "canaries.json"))
    return CliRunner().invoke(command.main, [*files, "--door", str(tmp_path / "door.toml")])


def test_the_search_names_what_it_found_and_never_the_secret(tmp_path: Path) -> None:
    said = searched(tmp_path, '{"digits": {"slot": "7391"}}')
    assert said.exit_code == 1
    assert "slot: text" in said.stdout
    assert "7391" not in said.stdout
    assert searched(tmp_path, '{"digits": {"pin": "58203174"}, "hex": {"key": "00ff00ff00ff00ff"}}').exit_code == 0


@pytest.mark.parametrize(
    "wrong", ["", "[]", '{"digits": {"a": "x"}}', '{"hex": {"a": "x"}}', '{"vectors": {"a": [0]}}']
)
def test_a_file_that_holds_no_canaries_is_refused_with_a_sentence(tmp_path: Path, wrong: str) -> None:
    said = searched(tmp_path, wrong)
    assert said.exit_code == 1
    assert "is no file of canaries" in said.stderr
