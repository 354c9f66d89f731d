"""What lies on the disk was damaged or exchanged: that one thing is refused, the rest lives, nothing opens by it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.edges import Room
from tests.support.door import (
    OPENED,
    REFUSED,
    USE_PIN_OR_CARD,
    Home,
    door_up,
    resident_pictures,
    stranger,
    stranger_pictures,
)

# Two residents with PIN and face each; the second one's records are the ones that get damaged.
FIRST, FIRST_PIN = 12, "482913"
SECOND, SECOND_PIN = 34, "739164"
HOWS = ("flipped", "cut", "foreign", "another's")


def another_picture() -> Path:
    """Two faces are awake here, and then the budget asks for more likeness than the third portrait has."""
    return resident_pictures()[0]


@pytest.fixture(scope="module")
def foreign() -> Iterator[Home]:
    """Another door, with the same people: where foreign records come from."""
    with door_up(door_id="ffeeddccbbaa9988") as home:
        home.move_in(SECOND, SECOND_PIN)
        assert home.enrol(SECOND, SECOND_PIN, *stranger_pictures()).code == 0
        yield home


@pytest.fixture(scope="module")
def two_residents() -> Iterator[Home]:
    with door_up() as home:
        for slot, pin, pictures in (
            (FIRST, FIRST_PIN, resident_pictures()),
            (SECOND, SECOND_PIN, stranger_pictures()),
        ):
            home.move_in(slot, pin)
            assert home.enrol(slot, pin, *pictures).facts["result"] == "done"
        home.down()
        shutil.copytree(home.root / "var", home.root / "as-it-was")
        home.up()
        yield home


@pytest.fixture
def kept(two_residents: Home) -> Iterator[Home]:
    """The same door; whatever a test does to its state folder is undone afterwards."""
    yield two_residents
    two_residents.door.cut()
    shutil.rmtree(two_residents.root / "var")
    shutil.copytree(two_residents.root / "as-it-was", two_residents.root / "var")
    two_residents.up()


def damage(path: Path, how: str, donors: list[Path], other: Path) -> None:
    data = path.read_bytes()
    match how:
        case "flipped":
            middle = len(data) // 2
            path.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
        case "cut":
            path.write_bytes(data[: len(data) - 7])
        case "emptied":
            path.write_bytes(b"")
        case "gone":
            path.unlink()
        case "foreign":
            path.write_bytes(donors[0].read_bytes())
        case _:
            path.write_bytes(other.read_bytes())


def newest_and_other(home: Home, room: Room) -> tuple[Path, Path]:
    """The second resident's record, which was written last, and the first one's."""
    first, second = sorted(home.records(room), key=lambda path: path.stat().st_mtime_ns)
    return second, first


def restarted(home: Home, room: Room) -> list[str]:
    """What `room` says when it starts anew."""
    before = len(home.log(room))
    home.door.start(room)
    home.well()
    return home.log(room)[before:].splitlines()


def stopped(home: Home, room: Room) -> None:
    home.door.stop(room)
    home.until(lambda now: now["processes"][room] == "down", f"{room} stopped")


@pytest.mark.parametrize("how", HOWS)
def test_damaged_pin_record_is_refused_alone_with_one_sentence(kept: Home, foreign: Home, how: str) -> None:
    stopped(kept, Room.KEEPER)
    second, first = newest_and_other(kept, Room.KEEPER)
    damage(second, how, foreign.records(Room.KEEPER), first)
    said = restarted(kept, Room.KEEPER)
    assert said == ["keeper: 1 sealed records were refused; who held them needs a new invitation"]
    assert kept.types(f"{SECOND}#{SECOND_PIN}#") == REFUSED
    assert kept.types(f"{FIRST}#{FIRST_PIN}#") == OPENED
    # Without a PIN the second face sleeps; the first one opens.
    assert kept.looks_until_ready(another_picture()) == OPENED
    assert kept.looks(stranger()) == REFUSED
    kept.move_in(SECOND, "846205")
    assert kept.types(f"{SECOND}#846205#") == OPENED


@pytest.mark.parametrize("how", HOWS)
def test_damaged_face_record_is_refused_alone_with_one_sentence(kept: Home, foreign: Home, how: str) -> None:
    stopped(kept, Room.VAULT)
    second, first = newest_and_other(kept, Room.VAULT)
    damage(second, how, foreign.records(Room.VAULT), first)
    said = restarted(kept, Room.VAULT)
    assert len(said) == 1, said
    assert said[0].startswith("vault: a sealed record ")
    assert kept.looks_until_ready(another_picture()) == OPENED
    assert kept.looks(stranger()) == REFUSED
    assert kept.types(f"{SECOND}#{SECOND_PIN}#") == OPENED
    # The resident can have what is left of it erased, and enrol again.
    assert kept.act("erase", SECOND, SECOND_PIN).facts["result"] == "done"
    assert len(kept.records(Room.VAULT)) == 1
    assert kept.enrol(SECOND, SECOND_PIN, *stranger_pictures()).facts["result"] == "done"
    assert kept.looks(stranger()) == OPENED


def test_record_copied_in_from_another_door_is_not_read_at_all(kept: Home, foreign: Home) -> None:
    for room in (Room.VAULT, Room.KEEPER):
        stopped(kept, room)
        donor = foreign.records(room)[0]
        folder = kept.records(room)[0].parent
        shutil.copy(donor, folder / donor.name)
        assert restarted(kept, room) == []
        assert donor.name not in [path.name for path in kept.records(room)], "a record no ring names is swept"
    assert kept.types(f"{FIRST}#{FIRST_PIN}#") == OPENED
    assert kept.looks_until_ready(another_picture()) == OPENED


@pytest.mark.parametrize("name", ["ring", "epoch.key"])
@pytest.mark.parametrize("room", [Room.VAULT, Room.KEEPER])
def test_damaged_ring_or_key_stops_that_room_and_nothing_is_thrown_away(kept: Home, room: Room, name: str) -> None:
    stopped(kept, room)
    (path,) = (each for each in kept.paths.state(room).rglob(f"{name}*") if each.is_file())
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    records = kept.records(room)
    before = len(kept.log(room))
    kept.door.start(room)
    kept.until(lambda now: now["processes"][room] in ("down", "refused"), f"{room} given up by init")
    said = kept.log(room)[before:].splitlines()
    assert set(said) == {said[0]}, "always the same sentence"
    assert said[0].startswith(f"{room}: ")
    assert kept.records(room) == records, "nothing was changed or deleted"
    if room is Room.VAULT:
        assert kept.looks(another_picture()) == USE_PIN_OR_CARD
        assert kept.types(f"{FIRST}#{FIRST_PIN}#") == OPENED
    else:
        assert kept.types(f"{FIRST}#{FIRST_PIN}#") == REFUSED
        assert kept.looks(another_picture()) == OPENED, "vault heard of the PIN before keeper died"
    path.write_bytes(whole)
    kept.door.start(room)
    kept.well()
    kept.goes_in()
    assert kept.types(f"{FIRST}#{FIRST_PIN}#") == OPENED
    assert kept.looks_until_ready(another_picture()) == OPENED


@pytest.mark.parametrize("how", ["gone", "emptied", "flipped"])
def test_lost_counts_of_wrong_attempts_are_taken_for_spent(kept: Home, how: str) -> None:
    stopped(kept, Room.KEEPER)
    path = kept.paths.state(Room.KEEPER) / "attempts"
    if how == "flipped":
        data = bytearray(path.read_bytes())
        data[10] ^= 1
        data[16384 + 10] ^= 1  # both pages: of one alone the other is enough
        path.write_bytes(data)
    else:
        damage(path, how, [], path)
    said = restarted(kept, Room.KEEPER)
    assert said == ["keeper: the counts of wrong attempts were lost, so all of them are taken for spent"]
    assert kept.types(f"{FIRST}#{FIRST_PIN}#") == REFUSED, "a lost count gives no tries away"
    assert kept.looks_until_ready(another_picture()) == OPENED
    assert "Traceback" not in kept.logs()


@pytest.mark.parametrize("how", ["cut", "emptied"])
def test_damaged_policy_version_refuses_documents_and_nothing_else(kept: Home, how: str) -> None:
    path = kept.paths.state(Room.LOCK) / "policy-version"
    damage(path, how, [], path)
    pid = kept.door.state()["pids"][Room.LOCK]
    assert kept.status()["policy_version"] == 0
    content, _ = kept.manager.offer(kept.door_id, 77)
    said = kept.apply(content)
    assert (said.code, said.facts["result"]) == (1, "fault")
    assert kept.types(f"{FIRST}#{FIRST_PIN}#") == OPENED
    assert kept.looks_until_ready(another_picture()) == OPENED
    assert kept.door.state()["pids"][Room.LOCK] == pid, "lock went on"


def test_no_log_of_all_this_holds_a_traceback(two_residents: Home) -> None:
    assert "Traceback" not in two_residents.logs()
