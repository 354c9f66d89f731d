"""keeper dies at every durable step of an exchange with a card: no copy gains by it, and no card is lost for good.

A death here is a kill: what was written is there, what was to be written next is not. Torn pages are `test_counters`'
business, torn records `test_power_cuts`'.
"""

from __future__ import annotations

import contextlib
import copy
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from device.keeper.card_talk import CardTalk
from device.keeper.cards.counters import Counters, Kept
from device.wire import CardChange, Outcome
from tests.unit.keeper.bench import Door, PowerCut
from tests.unit.keeper.test_card_talk import REFUSED, Reader
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.memory import Kind

pytestmark = pytest.mark.slow

CHIPS = (Kind.DESFIRE_EV1, Kind.DESFIRE_EV2, Kind.NTAG424)


def home(folder: Path) -> Reader:
    """A door with a reader and one resident, in `folder`."""
    door = Door(folder / "keeper", reader=True)
    door.move_in()
    return Reader(door)


def close(reader: Reader) -> None:
    reader.door.guard.file.close()
    reader.door.keeper._cards.close()


def until_the_cut(monkeypatch: pytest.MonkeyPatch, at: int, work: Callable[[], object]) -> int:
    """Do `work`, and die before the sync number `at`; how many syncs there were."""
    real, syncs = os.fsync, 0

    def fsync(handle: int) -> None:
        nonlocal syncs
        if syncs == at:
            raise PowerCut
        syncs += 1
        real(handle)

    with monkeypatch.context() as patch, contextlib.suppress(PowerCut):
        patch.setattr(os, "fsync", fsync)
        work()
    return syncs


def again(reader: Reader) -> Reader:
    """The same door after keeper began anew."""
    reader.door.keeper._cards.close()
    reader.door.boot()
    return Reader(reader.door)


@pytest.mark.parametrize("kind", CHIPS)
def test_killed_at_any_step_of_an_opening_the_card_opens_afterwards_and_its_copy_does_not(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, ended = 0, False
    while not ended:
        reader = home(tmp_path / str(at))
        card = reader.added(kind)
        twin = SimulatedCard(copy.deepcopy(card.memory))
        assert reader.tap(card) == ("opens", 12)
        ended = until_the_cut(monkeypatch, at, lambda: reader.tap(card)) < at  # noqa: B023 - called at once
        reader = again(reader)
        card.reset()
        assert reader.tap(twin) == REFUSED
        assert reader.tap(card) == ("opens", 12)
        close(reader)
        at += 1
    assert at > 2, "there is more than one step at which it can die"


@pytest.mark.parametrize("kind", CHIPS)
def test_killed_at_any_step_of_adding_the_card_can_be_added_again(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, ended, fates = 0, False, set()
    while not ended:
        reader = home(tmp_path / str(at))
        card = SimulatedCard.new(kind)
        assert reader.change(CardChange.ADD) is Outcome.ACCEPTED
        ended = until_the_cut(monkeypatch, at, lambda: reader.tap(card)) < at  # noqa: B023 - called at once
        reader = again(reader)
        card.reset()
        fate = reader.tap(card)
        assert fate in (REFUSED, ("opens", 12))
        fates.add(fate)
        if fate == REFUSED:
            assert reader.add(card) == ("added", 0)
            assert reader.tap(card) == ("opens", 12)
        close(reader)
        at += 1
    assert fates == {REFUSED, ("opens", 12)}


@pytest.mark.parametrize("kind", CHIPS)
def test_killed_at_any_step_of_cancelling_the_cards_open_or_do_not_and_can_be_cancelled(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, ended = 0, False
    while not ended:
        reader = home(tmp_path / str(at))
        card = reader.added(kind)
        ended = until_the_cut(monkeypatch, at, lambda: reader.change(CardChange.CANCEL_ALL)) < at  # noqa: B023 - called at once
        reader = again(reader)
        assert reader.tap(card) in (REFUSED, ("opens", 12))
        reader.change(CardChange.CANCEL_ALL)
        assert reader.tap(card) == REFUSED
        close(reader)
        at += 1


def test_a_copy_gains_by_a_kill_if_the_counter_goes_to_the_card_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded fault: keeper's counter is late by one exchange."""
    late: dict[int, Kept] = {}
    keep = Counters.keep

    def lags(self: Counters, serial: int, kept: Kept) -> None:
        if serial in late:
            keep(self, serial, late[serial])
        late[serial] = kept

    reader = home(tmp_path)
    card = reader.added()
    assert reader.tap(card) == ("opens", 12)
    twin = SimulatedCard(copy.deepcopy(card.memory))
    with monkeypatch.context() as patch:
        patch.setattr(Counters, "keep", lags)
        reader.tap(card)
    reader = again(reader)
    assert isinstance(reader.door.keeper._cards, CardTalk)
    assert reader.tap(twin) == ("opens", 12)
    close(reader)
