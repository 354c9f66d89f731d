"""Several tenancies that end at one moment: each is destroyed as itself, and vault hears of all of them soon."""

from __future__ import annotations

import dataclasses

import pytest

from device import wire
from device.edges import Room
from device.keeper import tenancies
from device.keeper.book import Book
from device.keeper.ends import GRACE_S
from device.keeper.record import Kind
from device.keeper.tenancies import NEWS_AT_ONCE, SOON_S
from device.wire import NO_END, NO_TENANCY
from tests.unit.keeper.bench import NOON, PIN, Door
from tests.unit.keeper.test_offers import FailingRecords

END = NOON + 86400
SLOTS = (3, 12, 40)


@pytest.fixture
def ended(door: Door) -> Door:
    """Three residents until END, and it is END since almost the grace."""
    for number, slot in enumerate(SLOTS, 5):
        assert door.invite(slot, serial=number, ends=END) is wire.Result.DONE
        assert door.set_pin("907152638447", PIN, slot)
    door.house.to(Room.VAULT)
    door.unix_s = END
    door.live(GRACE_S - 1)
    return door


def kinds(door: Door) -> list[Kind]:
    return [held.kind for _, held in sorted(door.guard.book.everything().items())]


def test_each_of_several_is_destroyed_as_the_offer_it_was(ended: Door) -> None:
    before = {slot: held.ended() for slot, held in ended.guard.book.everything().items()}
    assert kinds(ended) == [Kind.PIN] * 3
    ended.live(70)
    assert ended.guard.book.everything() == before
    ended.boot()
    assert ended.guard.book.everything() == before


def test_what_is_left_to_destroy_is_done_at_once_and_one_at_a_look(ended: Door) -> None:
    left = []
    while Kind.PIN in kinds(ended):
        due_s = ended.keeper.deadline()
        assert due_s is not None
        ended.wait(max(0.0, due_s - ended.now_ns / 1e9) + 1e-6)
        ended.keeper.tick()
        left.append((kinds(ended).count(Kind.PIN), ended.now_ns))
    left = [told for told in left if told[0] < len(SLOTS)]
    assert [many for many, _ in left] == [2, 1, 0]
    assert left[-1][1] - left[0][1] < 5 * SOON_S * 1e9


@pytest.mark.parametrize("beyond", [0, 1])
def test_news_that_do_not_go_at_once_go_a_moment_later(
    door: Door, monkeypatch: pytest.MonkeyPatch, beyond: int
) -> None:
    monkeypatch.setattr(tenancies, "NEWS_AT_ONCE", 3)
    slots = range(1, 3 + beyond + 1)
    for slot in slots:
        door.move_in(slot, ends=END)
    door.vault_asks(*slots)
    door.unix_s = END
    door.keeper.tick()
    assert len(door.house.to(Room.VAULT)) == 3 < NEWS_AT_ONCE
    due_s = door.keeper.deadline()
    assert due_s is not None
    assert (due_s - door.now_ns / 1e9 < 2 * SOON_S) is bool(beyond)
    door.live(1)
    assert len(door.house.to(Room.VAULT)) == beyond


def test_of_a_slot_that_vault_knows_it_keeps_hearing_when_it_has_asked_about_as_many_as_it_may(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenancies, "MOST_ASKED_ABOUT", 2)
    for slot in (12, 13, 14):
        door.move_in(slot, ends=END)
    door.vault_asks(12, 13, 14)
    door.unix_s = END
    assert door.vault_asks(12) == [wire.CredentialAnswer(12, NO_TENANCY, NO_END)]
    door.keeper.tick()
    assert door.house.to(Room.VAULT) == [wire.LastCredentialGone(13)], "12 it just heard of, 14 is one too many"


def test_a_disk_that_fails_a_second_time_is_said_a_second_time(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    store = FailingRecords(makes_it=False)
    door.run_on(dataclasses.replace(door.guard, book=Book(store)))
    for slot in SLOTS[:2]:
        door.move_in(slot, ends=END + slot * 10_000)
    capsys.readouterr()
    for slot in SLOTS[:2]:
        store.fails = True
        door.unix_s = END + slot * 10_000
        door.live(GRACE_S + 300)
        assert len(capsys.readouterr().err.splitlines()) == 1, slot
        store.fails = False
        door.live(70)
        held = door.guard.book.held(slot)
        assert held
        assert held.kind is Kind.ENDED
