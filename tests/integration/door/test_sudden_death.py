"""kill -9 of every process at every moment, and the power cut: the door is secured, comes back, and forgets nothing."""

from collections.abc import Iterator

import pytest

from device.edges import PROCESSES, Room
from tests.integration.door.conftest import PIN, SLOT, enrolled
from tests.support.door import (
    CONFIRM,
    NOTED,
    OPENED,
    REFUSED,
    USE_PIN_OR_CARD,
    Home,
    another_picture,
    door_up,
    resident_pictures,
    stranger,
    stranger_pictures,
)

UNLOCK_MS = 600
LATE_NS = 1_000_000_000  # what a busy machine may add to a time that somebody else measures
ERASED_SLOT, ERASED_PIN = 34, "739164"
SITUATIONS = ("idle", "granted", "window")
# The grant and the consent are vault's, the surface is desk and doorctl: without these the enrolment is over. Without
# the others the resident presses the button once more, within the minute of the grant.
GOES_ON = {Room.KEEPER, Room.REPORT}  # whose death an enrolment under way survives
NEEDED_BY_A_WINDOW = (Room.LOCK, Room.EYE, Room.VAULT)


@pytest.fixture(scope="module")
def lived_in() -> Iterator[Home]:
    """One resident with PIN and face, one who erased the face and kept the PIN."""
    with door_up(unlock_ms=UNLOCK_MS, window_s=4) as home:
        home.move_in(ERASED_SLOT, ERASED_PIN)
        assert home.enrol(ERASED_SLOT, ERASED_PIN, *stranger_pictures()).facts["result"] == "done"
        assert home.act("erase", ERASED_SLOT, ERASED_PIN).facts["result"] == "done"
        yield enrolled(home)


@pytest.fixture(scope="module")
def faceless() -> Iterator[Home]:
    """A resident without a face; an enrolment takes 2 s, so that it can be killed in the middle."""
    with door_up(enrol_frames=6) as home:
        home.move_in(SLOT, PIN)
        yield home


def enter(home: Home, situation: str) -> None:
    """Bring the door into `situation`."""
    match situation:
        case "idle":
            home.until(lambda now: not now["granted"] and not now["indicator"], "the door idle")
        case "granted":
            assert home.types(f"{SLOT}#{PIN}#") == OPENED
        case "window":
            home.window()


def coil_spans(home: Home) -> list[tuple[int, int]]:
    """From when to when the strike was released, by the simulated board's history."""
    changes = [(at_ns, level) for at_ns, line, level in home.door.state()["history"] if line == "coil"]
    ends = [*(at_ns for at_ns, _ in changes[1:]), 2**63]
    return [(at_ns, end) for (at_ns, level), end in zip(changes, ends, strict=False) if level]


def works_as_before(home: Home) -> None:
    """PIN and face open; what was erased stays erased; a wrong PIN is wrong."""
    home.well()
    assert home.types(f"{SLOT}#{PIN}#") == OPENED
    home.goes_in()
    assert home.looks_until_ready(another_picture()) == OPENED
    home.goes_in()
    assert len(home.records(Room.VAULT)) == 1


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("room", PROCESSES)
def test_killed_process_leaves_a_secured_door_and_comes_back(lived_in: Home, room: Room, situation: str) -> None:
    enter(lived_in, situation)
    before = lived_in.door.state()
    lived_in.door.kill(room)
    lived_in.until(lambda now: now["pids"][room] not in (0, before["pids"][room]), f"{room} started anew")
    lived_in.until(lambda now: not now["granted"], "the door secured")
    after = lived_in.door.state()
    assert after["releases"] == before["releases"], "nobody opened meanwhile"
    assert all(off - on <= UNLOCK_MS * 1_000_000 + LATE_NS for on, off in coil_spans(lived_in))
    if situation == "window" and room not in NEEDED_BY_A_WINDOW:
        # The window does not need this process: whoever is looking gets in.
        lived_in.door.show(another_picture(), fps=30.0)
        lived_in.until(lambda now: now["granted"], "the window going on")
    works_as_before(lived_in)


def test_lock_killed_while_granted_drops_the_line_at_once(lived_in: Home) -> None:
    enter(lived_in, "granted")
    lived_in.door.kill(Room.LOCK)
    lived_in.until(lambda now: not now["granted"], "the door secured")
    on, off = coil_spans(lived_in)[-1]
    assert off - on < UNLOCK_MS * 1_000_000, "it did not take the one-shot: the line fell with its owner"


@pytest.mark.parametrize("situation", [*SITUATIONS, "typing"])
def test_power_cut_leaves_a_secured_door_that_boots_as_it_was(lived_in: Home, situation: str) -> None:
    if situation == "typing":
        lived_in.door.keys(f"{SLOT}#{PIN}")
    else:
        enter(lived_in, situation)
    lived_in.door.cut()
    lived_in.up()
    state = lived_in.door.state()
    assert (state["granted"], state["releases"], state["camera_open"], state["indicator"]) == (False, 0, False, False)
    if situation == "typing":
        assert lived_in.types("#") == REFUSED, "half an entry did not survive the cut"
    works_as_before(lived_in)


def test_what_was_erased_stays_erased_after_all_this(lived_in: Home) -> None:
    works_as_before(lived_in)
    assert lived_in.looks(stranger()) == REFUSED
    assert lived_in.types(f"{ERASED_SLOT}#{ERASED_PIN}#") == OPENED
    assert "Traceback" not in lived_in.logs()


@pytest.mark.parametrize("room", [*PROCESSES, "doorctl", "power"])
def test_enrolment_that_is_cut_short_stores_nothing_or_all_of_it(faceless: Home, room: Room | str) -> None:
    home = faceless
    with home.enrolling(SLOT, PIN, *resident_pictures()) as doorctl:
        before = home.door.state()["frames_read"]
        home.until(lambda now: now["frames_read"] > before, "a frame of the enrolment")
        if room == "doorctl":
            doorctl.kill()
        elif room == "power":
            home.door.cut()
        else:
            home.door.kill(Room(room))
        assert home.records(Room.VAULT) == [], "nothing is stored before the last frame"
        if room in GOES_ON:
            home.until(lambda _: doorctl.ended or CONFIRM in doorctl.told, "the question for the PIN")
            home.well()
            home.until(lambda now: not now["indicator"], "the door dark")
            assert home.types(f"01#{SLOT}#{PIN}#") == NOTED
        said = doorctl.said()
    if room == "power":
        home.up()
    done = '"done"' in said.out
    assert done == (room in GOES_ON), said
    assert "Traceback" not in said.out + said.err
    assert len(home.records(Room.VAULT)) == done
    home.well()
    if not done:
        assert home.looks(another_picture()) == USE_PIN_OR_CARD, "nobody is enrolled"
        assert home.enrol(SLOT, PIN, *resident_pictures()).facts["result"] == "done"
    assert home.looks_until_ready(another_picture()) == OPENED
    home.goes_in()
    assert home.act("erase", SLOT, PIN).facts["result"] == "done"


@pytest.mark.parametrize("room", [Room.KEEPER, Room.VAULT, Room.LOCK, Room.DESK])
def test_grant_dies_with_a_process_that_held_it_or_is_good_once(lived_in: Home, room: Room) -> None:
    lived_in.well()
    assert lived_in.types(f"03#{SLOT}#{PIN}#") == NOTED
    lived_in.door.kill(room)
    lived_in.well()
    said = lived_in.doorctl("pause", "--wait", "0")
    if said.code == 0:
        assert lived_in.act("resume", SLOT, PIN).code == 0
    else:
        assert said.facts["result"] in ("no_grant", "fault")
    assert lived_in.doorctl("pause", "--wait", "0").facts["result"] == "no_grant"
    works_as_before(lived_in)
