"""A whole door, a real broker, and everything between them: a busy stretch and an idle one look the same.

Both doors have the same id and the same residents. Behind a mark one of them is opened by PIN, face and card, and
somebody mistypes; the other one hangs on its wall. In the middle the network is cut. Of the same number of reports from
the mark on, everything is compared that a broker and a wire see.
"""

import json
import re
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pytest

from device.report import schedule
from device.report.envelope import SIZE
from tests.integration.anonymity.recorder import PUBLISH, Connection, Packet, recording
from tests.support.door import NOTED, OPENED, REFUSED, Home, another_picture, door_up, resident_pictures
from tests.support.mosquitto import Seen, Subscriber, running_broker
from tests.support.room_process import CHECKOUT
from tools.anonymity.channel import record_length

SLOT, PIN = 12, "482913"
DOOR_ID = "00aa11bb22cc33dd"
CADENCE_S = 1.0
REPORTS = 30
LATE_S = 0.8  # a busy machine; in the product the cadence is 900 s
_TLS = 22
_ITS_OWN = re.compile(rb'"(run|seq|sealed)":("[0-9a-f]{8}"|\d+|"[0-9A-Za-z+/=]{88}")')


@dataclass(frozen=True)
class Stretch:
    """What was seen of one door from the mark on: REPORTS reports, and its connections since its start."""

    reports: tuple[Seen, ...]
    others: tuple[tuple[str, bytes], ...]
    connections: tuple[tuple[Packet, ...], ...]


def numbered(seen: list[Seen]) -> dict[int, Seen]:
    """The reports by their number, each once: one that was under way at the cut may come twice (QoS 1)."""
    reports = [each for each in seen if each.topic.endswith("/report")]
    return {json.loads(each.payload)["seq"]: each for each in reversed(reports)}


def stretch(folder: Path, *, busy: bool, code: Path = CHECKOUT) -> Stretch:
    """Live through one."""
    with ExitStack() as stack:
        broker = stack.enter_context(running_broker(folder))
        witness = stack.enter_context(Subscriber(broker))
        recorder = stack.enter_context(recording(broker.port))
        home = stack.enter_context(
            door_up(broker=recorder.url, cadence_s=CADENCE_S, door_id=DOOR_ID, window_s=4, code=code)
        )
        card = moved_in(home, folder)
        home.well()
        mark = max(numbered(witness.wait_for(lambda seen: len(numbered(seen)) > 2, 60.0))) + 2
        witness.wait_for(lambda seen: mark in numbered(seen), 60.0)
        if busy:
            comes_home(home, card)
            assert max(numbered(witness.seen)) < mark + REPORTS, "what is compared must hold what was done"
        witness.wait_for(lambda seen: mark + 4 in numbered(seen), 60.0)
        recorder.cut()
        if busy:
            comes_home(home, card)
        wanted = range(mark, mark + REPORTS)
        seen = witness.wait_for(lambda seen: set(wanted) <= set(numbered(seen)), 120.0)
        others = {(each.topic, each.payload) for each in seen if not each.topic.endswith("/report")}
        return Stretch(
            tuple(numbered(seen)[number] for number in wanted),
            tuple(sorted(others)),
            tuple(written(each) for each in recorder.connections),
        )


def written(connection: Connection) -> tuple[Packet, ...]:
    """Kinds and lengths in their order; how often one is repeated follows from how long the connection lasted."""
    return tuple(packet for packet, _ in groupby(connection.packets()))


def moved_in(home: Home, folder: Path) -> Path:
    home.move_in(SLOT, PIN)
    assert home.enrol(SLOT, PIN, *resident_pictures()).facts["result"] == "done"
    card = folder / "card.json"
    assert home.doorsim("card", "new", str(card), "--kind", "ntag424").code == 0
    assert home.types(f"07#{SLOT}#{PIN}#") == NOTED
    assert home.does(lambda: home.door.tap(card)).signal == "DONE"
    return card


def comes_home(home: Home, card: Path) -> None:
    assert home.types(f"{SLOT}#{PIN}#") == OPENED
    home.goes_in()
    assert home.looks_until_ready(another_picture()) == OPENED
    home.goes_in()
    assert home.does(lambda: home.door.tap(card)) == OPENED
    home.goes_in()
    assert home.types(f"{SLOT}#482914#") == REFUSED
    assert home.types(f"{SLOT}#{PIN}#") == OPENED
    home.goes_in()


def words(each: Seen) -> bytes:
    """A payload without the two values that are a start's own, and without the letters that are a report's own."""
    return _ITS_OWN.sub(rb"\1", each.payload).rstrip()


def lateness_s(each: Seen) -> float:
    """How long after its moment on the grid a message came."""
    return (each.at_s - schedule.phase_s(DOOR_ID, CADENCE_S)) % CADENCE_S


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Stretch:
    return stretch(tmp_path_factory.mktemp("idle"), busy=False)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Stretch:
    return stretch(tmp_path_factory.mktemp("busy"), busy=True)


def tells_apart(one: Stretch, other: Stretch) -> list[str]:
    """By what somebody at the broker or at the wire could tell two stretches apart."""
    marks = []
    if [words(each) for each in one.reports] != [words(each) for each in other.reports]:
        marks.append("content")
    if {len(each.payload) for each in (*one.reports, *other.reports)} != {SIZE}:
        marks.append("size")
    if one.others != other.others:
        marks.append("other messages")
    if one.connections != other.connections:
        marks.append("packets")
    return marks


def test_a_busy_door_and_an_idle_one_are_the_same_at_the_broker_and_on_the_wire(busy: Stretch, idle: Stretch) -> None:
    assert tells_apart(busy, idle) == []
    assert len(busy.connections) == 2, "the network was cut once"


def test_a_report_is_one_packet_of_the_length_that_the_measurement_reckons_with(busy: Stretch) -> None:
    expected = record_length(len(f"doorward/{DOOR_ID}/report"), SIZE, expires=True) - _TLS
    for connection in busy.connections:
        published = [each.length for each in connection if each.kind == PUBLISH]
        assert published[-1] == expected
        assert len(set(published)) == 2, "the word online, and reports"


def test_reports_of_a_busy_door_keep_to_the_grid(busy: Stretch, idle: Stretch) -> None:
    for stretched in (busy, idle):
        numbers = [json.loads(each.payload)["seq"] for each in stretched.reports]
        assert numbers == list(range(numbers[0], numbers[0] + REPORTS))
        on_time = sorted(lateness_s(each) for each in stretched.reports)
        # Those that waited for the network come all at once; all others within a moment of theirs.
        assert on_time[REPORTS // 2] < LATE_S


LEAK = ("(Release(rules.unlock_ns), *shown)", "(Release(rules.unlock_ns), Tell(OccurrenceKind.KEEPER_GONE), *shown)")


@pytest.fixture
def leaking(tmp_path: Path) -> Path:
    """A checkout whose lock tells report of an opening, by a flag of the next report."""
    code = tmp_path / "copy"
    shutil.copytree(CHECKOUT / "device", code / "device", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tools", "models", "provisioning", "pyproject.toml"):
        (code / name).symlink_to(CHECKOUT / name)
    machine = code / "device" / "lock" / "machine.py"
    assert machine.read_text().count(LEAK[0]) == 1
    machine.write_text(machine.read_text().replace(*LEAK))
    return code


def test_a_lock_that_tells_of_openings_is_told_apart(leaking: Path, tmp_path: Path, idle: Stretch) -> None:
    assert "content" in tells_apart(stretch(tmp_path / "leaking", busy=True, code=leaking), idle)
