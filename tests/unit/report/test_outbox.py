"""Nothing that was said is lost while there is room, and no disk stops the door."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.report.outbox import Outbox

PAYLOAD = b"x" * 384


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "report" / "outbox.sqlite"


def fill(outbox: Outbox, *names: str) -> None:
    for name in names:
        outbox.add(name, PAYLOAD)


def drain(outbox: Outbox) -> list[str]:
    names = []
    while (row := outbox.head()) is not None:
        names.append(row.topic)
        outbox.remove(row.row)
    return names


def test_messages_leave_in_the_order_they_came(path: Path) -> None:
    outbox = Outbox(path, 10)
    fill(outbox, "a", "b", "c")
    assert drain(outbox) == ["a", "b", "c"]
    assert outbox.head() is None


def test_a_message_stays_until_it_is_acknowledged(path: Path) -> None:
    outbox = Outbox(path, 10)
    fill(outbox, "a", "b")
    assert outbox.head() == outbox.head()
    assert len(outbox) == 2


def test_the_ring_is_bounded_and_the_oldest_is_dropped_and_counted(path: Path) -> None:
    outbox = Outbox(path, 4)
    fill(outbox, *"abcdefg")
    assert (len(outbox), outbox.dropped) == (4, 3)
    assert drain(outbox) == list("defg")


def test_messages_and_the_count_survive_a_kill(path: Path) -> None:
    fill(Outbox(path, 4), *"abcdef")  # never closed, as after kill -9
    again = Outbox(path, 4)
    assert (again.dropped, drain(again)) == (2, list("cdef"))


def test_ids_grow_over_restarts_even_when_everything_was_sent(path: Path) -> None:
    first = Outbox(path, 4)
    fill(first, "a")
    row = first.head()
    assert row is not None
    first.remove(row.row)
    first.close()
    again = Outbox(path, 4)
    fill(again, "b")
    later = again.head()
    assert later is not None
    assert later.row > row.row


def test_a_late_acknowledgement_of_a_dropped_message_removes_no_other(path: Path) -> None:
    outbox = Outbox(path, 4)
    fill(outbox, "a")
    under_way = outbox.head()
    assert under_way is not None
    fill(outbox, *"bcdef")
    outbox.remove(under_way.row)
    assert drain(outbox) == list("cdef")


def test_a_smaller_ring_keeps_the_newest(path: Path) -> None:
    fill(Outbox(path, 100), *"abcdefgh")
    smaller = Outbox(path, 4)
    assert (smaller.dropped, drain(smaller)) == (4, list("efgh"))


def damage_everything(path: Path) -> None:
    path.write_bytes(b"this is no database at all, it never was" * 100)


def damage_the_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(bytes(data))


def damage_the_tables(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE counter")
    db.close()


def bring_a_foreign_file(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE other (x)")
    db.close()


@pytest.mark.parametrize(
    "damage", [damage_everything, damage_the_middle, damage_the_tables, bring_a_foreign_file], ids=lambda d: d.__name__
)
def test_a_damaged_file_is_set_aside_and_a_new_one_begins(
    path: Path, damage: Callable[[Path], None], capfd: pytest.CaptureFixture[str]
) -> None:
    before = Outbox(path, 10)
    fill(before, *"abc")
    before.close()
    damage(path)
    outbox = Outbox(path, 10)
    fill(outbox, "d")
    assert drain(outbox) == ["d"]
    assert outbox.dropped == 1
    assert path.with_suffix(".damaged").exists()
    assert "is damaged" in capfd.readouterr().err
    outbox.close()
    assert Outbox(path, 10).dropped == 1


def test_damage_in_the_middle_of_work_costs_no_new_message(path: Path) -> None:
    outbox = Outbox(path, 10)
    fill(outbox, *"abc")
    damage_everything(path)
    fill(outbox, "d", "e")
    assert drain(outbox)[-2:] == ["d", "e"]
    assert path.with_suffix(".damaged").exists()


def full_disk(outbox: Outbox) -> None:
    """Sqlite itself says "database or disk is full" (SQLITE_FULL) once the file may not grow."""
    assert outbox._db is not None
    pages = outbox._db.execute("PRAGMA page_count").fetchone()[0]
    outbox._db.execute(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_stops_nothing_and_is_said_once(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    outbox = Outbox(path, 50)
    fill(outbox, "a")
    full_disk(outbox)
    names = [f"m{number}" for number in range(80)]
    fill(outbox, *names[:40])
    assert len(outbox._memory) > 20
    assert capfd.readouterr().err.count("disk is full") == 1
    fill(outbox, *names[40:])
    assert (len(outbox), outbox.dropped) == (50, 31)
    assert drain(outbox) == names[-50:]


def test_the_disk_is_used_again_once_there_is_room(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    outbox = Outbox(path, 50)
    full_disk(outbox)
    fill(outbox, *(f"m{number}" for number in range(30)))
    assert outbox._memory
    assert outbox._db is not None
    outbox._db.execute("PRAGMA max_page_count = 1000000")
    drain(outbox)
    fill(outbox, "later")
    assert not outbox._memory
    assert "can be used again" in capfd.readouterr().err
    outbox.close()
    assert drain(Outbox(path, 50)) == ["later"]


def test_a_place_that_cannot_be_written_leaves_a_ring_in_memory(tmp_path: Path) -> None:
    blocked = tmp_path / "a-file"
    blocked.write_text("not a folder")
    outbox = Outbox(blocked / "outbox.sqlite", 4)
    fill(outbox, *"abcdef")
    assert (outbox.dropped, drain(outbox)) == (2, list("cdef"))


def test_what_the_disk_will_not_forget_is_not_sent_twice(path: Path) -> None:
    outbox = Outbox(path, 10)
    fill(outbox, "a", "b")
    assert outbox._db is not None
    outbox._db.execute("PRAGMA query_only = ON")  # every delete fails from now on
    assert drain(outbox) == ["a", "b"]
    assert len(outbox) == 0


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["add", "acknowledge", "restart"]), max_size=30))
def test_what_is_neither_acknowledged_nor_dropped_is_there(
    tmp_path_factory: pytest.TempPathFactory, acts: list[str]
) -> None:
    path = tmp_path_factory.mktemp("outbox") / "outbox.sqlite"
    outbox, waiting, dropped = Outbox(path, 4), list[str](), 0
    for number, act in enumerate(acts):
        row = outbox.head()
        assert (row.topic if row else None) == (waiting[0] if waiting else None)
        if act == "add":
            outbox.add(str(number), PAYLOAD)
            waiting.append(str(number))
            dropped += len(waiting) > 4
            waiting = waiting[-4:]
        elif act == "acknowledge" and row is not None:
            outbox.remove(row.row)
            waiting.pop(0)
        elif act == "restart":
            outbox.close()
            outbox = Outbox(path, 4)
        assert (len(outbox), outbox.dropped) == (len(waiting), dropped)
    assert drain(outbox) == waiting
    outbox.close()
