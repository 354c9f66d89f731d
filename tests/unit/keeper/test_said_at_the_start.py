"""What keeper says in the journal when it starts: how much was lost, and nothing where nothing was."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.keeper import record
from device.keeper.attempts import AttemptFile
from device.keeper.book import Book
from device.keeper.throttle import Counts
from tests.unit.keeper.bench import PIN, Door

KEY = bytes(32)


class Foreign:
    """`book.Records` that open, and of which `many` make no sense."""

    def __init__(self, many: int) -> None:
        self._many = many

    def records(self) -> dict[int, bytes]:
        return dict.fromkeys(range(1, self._many + 1), bytes(record.PAYLOAD_BYTES))

    def put(self, slot: int, payload: bytes) -> None:
        pytest.fail("nothing is changed here")


@pytest.mark.parametrize("many", [0, 1, 3])
def test_every_record_that_makes_no_sense_is_counted_once(many: int) -> None:
    book = Book(Foreign(many))
    assert book.unreadable == many
    assert book.slots() == ()


def test_a_start_at_which_nothing_is_lost_says_nothing(home: Door, capsys: pytest.CaptureFixture[str]) -> None:
    assert not home.type_in("905217")
    capsys.readouterr()
    home.boot()
    assert capsys.readouterr().err == ""
    assert home.type_in(PIN)


def test_counts_whose_file_is_gone_are_said_to_be_lost(home: Door, capsys: pytest.CaptureFixture[str]) -> None:
    home.guard.file.close()
    (home.state / "attempts").unlink()
    capsys.readouterr()
    home.boot()
    assert "taken for spent" in capsys.readouterr().err
    home.boot()
    assert capsys.readouterr().err == "", "the file is there again, with the worst inside"
    assert not home.type_in(PIN)


@pytest.mark.parametrize(("known", "damaged"), [((), False), ((3, 4), True)])
def test_a_file_that_is_missing_is_a_loss_where_slots_are_known(
    tmp_path: Path, known: tuple[int, ...], damaged: bool
) -> None:
    file = AttemptFile(tmp_path / "attempts", KEY)
    assert (file.load(known) == Counts(0, {})) is not damaged
    assert file.damaged is damaged
    file.close()
