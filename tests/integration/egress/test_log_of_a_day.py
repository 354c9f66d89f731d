"""The log of a whole simulated day: nobody's PIN, slot, code, card, key, face or score is in any line of it.

A life at the door, as in test_life, and then everything that makes a door write: strangers, wrong PINs until it waits,
a forced door, documents that are no documents, a broker that is not there, each room killed, and the power cut. What is
searched is what every process wrote; on a door that is the journal. That the search would find something is shown by a
second door, whose rooms write what they must not.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from device.edges import PROCESSES, Room
from tests.integration.egress.test_life import DOOR_ID, PIN, SLOT, faces_of, lived
from tests.support.door import (
    OPENED,
    PATIENCE_S,
    REFUSED,
    Heard,
    Home,
    another_picture,
    door_up,
    resident_pictures,
    stranger,
)
from tests.support.ports import own_port
from tests.support.room_process import CHECKOUT
from tools.egress import canaries, search, views
from tools.egress.search import Result, Sought

NEIGHBOUR, HIS_PIN, NO_PIN = 8264, "7720194635", "3391850274"
NOBODYS_SLOT = 6417
WRONG_ONES = 4
LONGEST_LINE = 1000  # a picture of 8 by 8 would be longer, written as text
# A score, a distance, a threshold: a fraction with more digits than a time or a size would have.
SCORE = re.compile(r"\b-?\d*\.\d{3,}\b")
# keeper and vault are handed these; here they write them down. The face is named by the numbers that eye sent.
SEED = """
import sys
if "device.keeper" in sys.orig_argv:
    from device.wire import credentials
    honest_check = credentials.CheckPin.__init__
    def telling(self, *args, **kwargs):
        honest_check(self, *args, **kwargs)
        print("keeper: wrong:", self.claim, self.digits, file=sys.stderr, flush=True)
    credentials.CheckPin.__init__ = telling
if "device.vault" in sys.orig_argv:
    from device.wire import Probe
    honest_probe = Probe.__init__
    def showing(self, *args, **kwargs):
        honest_probe(self, *args, **kwargs)
        print("vault: seen", bytes(self.embedding).hex(), "score 0.83125", file=sys.stderr, flush=True)
    Probe.__init__ = showing
"""


@dataclass(frozen=True)
class Day:
    """What was written, and what to look for in it."""

    lines: tuple[str, ...]
    sought: Sought

    @property
    def result(self) -> Result:
        return search.search(views.of_files([("the log", "\n".join(self.lines).encode())]), self.sought)


def written(home: Home) -> tuple[str, ...]:
    return tuple(home.logs().splitlines())


def forced(home: Home) -> None:
    """Open the door again and again, until nobody can have been let in any more and it is an alarm."""
    ends = time.monotonic() + PATIENCE_S
    while "forced open" not in home.status()["alarms"]:
        assert time.monotonic() < ends, "a door that is forced is an alarm"
        home.door.move_door(is_open=False)
        home.status()  # takes longer than a contact needs to settle
        home.door.move_door(is_open=True)


def unlucky(home: Home) -> None:
    """All that goes wrong in a day, one thing after the other."""
    home.move_in(NEIGHBOUR, HIS_PIN)
    assert home.types(f"{NEIGHBOUR}#{HIS_PIN}#") == OPENED
    assert home.looks(stranger()) != OPENED
    assert home.types(f"{NOBODYS_SLOT}#{HIS_PIN}#") == REFUSED
    for room in PROCESSES:
        home.door.kill(room)
        home.well()
    assert home.types(f"{NEIGHBOUR}#{HIS_PIN}#") == OPENED
    for content in (b"no document", home.manager.sealed(home.door_id, b"x" * 200)):
        assert home.apply(content).code == 1
    forced(home)
    home.door.move_door(is_open=False)
    home.door.tamper(on=True)
    home.door.tamper(on=False)
    for path in home.records(Room.VAULT):
        path.write_bytes(b"torn")
    home.door.cut()
    home.up()
    home.well()
    answers: list[Heard] = [home.types(f"{NEIGHBOUR}#{NO_PIN}#") for _ in range(WRONG_ONES)]
    assert OPENED not in answers


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    folder = tmp_path_factory.mktemp("day")
    nobody = f"mqtt://127.0.0.1:{own_port()}"
    with door_up(broker=nobody, cadence_s=2, door_id=DOOR_ID, window_s=4) as home:
        sought, heard = lived(home, folder)
        assert heard == [OPENED] * 5
        before = written(home)
        unlucky(home)
        home.down()
        typed = {"his PIN": HIS_PIN, "no PIN": NO_PIN, "his slot": str(NEIGHBOUR), "no slot": str(NOBODYS_SLOT)}
        more = tuple(canaries.digits(name, text) for name, text in typed.items())
        yield Day((*before, *written(home)), Sought((*sought.canaries, *more), sought.vectors))


def test_the_day_was_written_down(day: Day) -> None:
    """An empty log would hold no secret either."""
    text = "\n".join(day.lines)
    assert len(day.lines) >= len(PROCESSES)
    assert "a document is refused" in text
    assert "report" in text, "its broker was not there"


def test_no_line_of_the_day_holds_a_canary(day: Day) -> None:
    result = day.result
    assert result.hits == ()
    assert result.conclusive
    assert {canary.name for canary in day.sought.canaries} >= {"the PIN", "the slot", "the template", "the embedding"}


def test_no_line_holds_a_score_or_could_hold_a_picture(day: Day) -> None:
    assert [line for line in day.lines if SCORE.search(line)] == []
    assert max(map(len, day.lines)) < LONGEST_LINE
    assert all(line.isprintable() for line in day.lines)


def test_a_door_that_writes_down_what_it_was_told_is_found_out(tmp_path: Path) -> None:
    for name in ("device", "tools", "models", "pyproject.toml"):
        (tmp_path / name).symlink_to(CHECKOUT / name)
    (tmp_path / "sitecustomize.py").write_text(SEED)
    with door_up(door_id=DOOR_ID, window_s=4, code=tmp_path) as home:
        home.move_in(SLOT, PIN)
        assert home.types(f"{SLOT}#{PIN}#") == OPENED
        assert home.enrol(SLOT, PIN, *resident_pictures()).facts["result"] == "done"
        faces = faces_of(home, tmp_path)
        assert home.looks(another_picture()) == OPENED
        home.down()
        lines = written(home)
    sought = Sought.of([canaries.digits("the PIN", PIN), canaries.digits("the slot", str(SLOT))], faces)
    assert Day(lines, sought).result.found == {"the PIN", "the slot", "the embedding"}
    assert any(SCORE.search(line) for line in lines)
    assert max(map(len, lines)) >= LONGEST_LINE
