"""The power goes before every step of every change of keeper's: no PIN is lost, none that ended opens, never none."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from device.keeper import record
from device.keeper.attempt import Clock, Guard
from device.keeper.attempts import AttemptFile
from device.keeper.book import Book, Records
from device.keeper.ends import GRACE_S, LOOK_S
from device.keeper.pin import Verifiers, stretcher
from device.keeper.throttle import Counts, Throttle
from device.sealing.keys import FileKeyStore
from device.sealing.store import Binding, SealedStore
from device.wire import NO_END, Proof, Result
from tests.unit.keeper.bench import CHEAP, DOOR, INVITATION, NOON, ROOT_KEY, Door
from tests.unit.sealing.simulated_disk import Loss, PowerCut, SimulatedDisk

FOLDER = Path("/state")
END = NOON + 30 * 86400
FIRST, CHANGED, NEXT, NEIGHBOUR, LAST = "482913", "271828", "662071", "905217", "739105"
SECOND_INVITATION = "118402957336"
LOSSES = ((Loss.ALL, 0), (Loss.NOTHING, 0), (Loss.SOME, 1), (Loss.SOME, 2), (Loss.SOME, 3))

Wrapped = Callable[[Records], Records]


@dataclass(frozen=True)
class Held:
    """What a person can still do at slot 12."""

    opens: str | None = None
    redeems: str | None = None


NOTHING = Held()


@dataclass(frozen=True)
class Change:
    """One thing that happens; `after` is what holds once it was acknowledged. Its clock is right."""

    happens: Callable[[Door], bool]
    after: Held
    unix_s: float = NOON


def ends(door: Door) -> bool:
    door.live(GRACE_S + LOOK_S)
    return True


CHANGES = (
    Change(lambda door: door.invite(12, ends=END) is Result.DONE, Held(redeems=INVITATION)),
    Change(lambda door: door.set_pin(INVITATION, FIRST, 12), Held(opens=FIRST)),
    Change(lambda door: door.set_pin(FIRST, CHANGED, 12, Proof.PIN), Held(opens=CHANGED)),
    Change(ends, NOTHING, END),
    Change(
        lambda door: door.invite(12, serial=2, digits=SECOND_INVITATION, expires=END + 10**6) is Result.DONE,
        Held(redeems=SECOND_INVITATION),
        END + 10**5,
    ),
    Change(lambda door: door.set_pin(SECOND_INVITATION, NEXT, 12), Held(opens=NEXT), END + 10**5),
)


class Uncounted(AttemptFile):
    """Counts of wrong attempts have a file and tests of their own."""

    def save(self, counts: Counts) -> None:
        """Nothing."""


@dataclass
class Life:
    """A door on `disk`; what was acknowledged about slot 12, and the change under way."""

    disk: SimulatedDisk
    wrapped: Wrapped = lambda store: store
    acknowledged: Held = NOTHING
    under_way: Change | None = None
    done: list[Change] = field(default_factory=list)

    def door(self, unix_s: float) -> Door:
        """A keeper that starts now, from what is on the disk."""
        return Door(Path("/nowhere"), unix_s=unix_s, made=self._found)

    def _found(self, clock: Clock) -> Guard:
        keys = FileKeyStore(FOLDER / "epoch.key", ROOT_KEY, self.disk)
        book = Book(self.wrapped(SealedStore.open(FOLDER, keys, Binding(DOOR, "pin"), self.disk)))
        throttle = Throttle(Counts(0, {}), clock.now_s())
        counts = Uncounted(Path("/nowhere"), bytes(32))
        return Guard(book, throttle, counts, Verifiers.of_door(ROOT_KEY), stretcher(CHEAP), clock)

    def run(self, changes: Iterable[Change] = CHANGES) -> None:
        door = self.door(NOON)
        for change in changes:
            self.under_way = change
            door.unix_s = change.unix_s
            assert change.happens(door)
            self.acknowledged, self.under_way = change.after, None
            self.done.append(change)

    def possible(self) -> set[Held]:
        """What may be found at the next start, by a clock that is right."""
        if self.under_way is None:
            return {self.acknowledged}
        if self.under_way.after == NOTHING:
            return {NOTHING}  # the end came, whatever became of the record
        return {self.acknowledged, self.under_way.after}

    @property
    def now_unix(self) -> float:
        return self.under_way.unix_s if self.under_way else (self.done[-1].unix_s if self.done else NOON)


def with_a_neighbour() -> SimulatedDisk:
    """A door where slot 13 lives already, without an end."""
    life = Life(SimulatedDisk())
    life.door(NOON).move_in(13, NEIGHBOUR)
    return life.disk.after_power_cut(Loss.ALL, 0)


def steps_of_everything() -> int:
    life = Life(with_a_neighbour())
    life.run()
    return life.disk.steps


STEPS = steps_of_everything()


def cut(at: int, wrapped: Wrapped = lambda store: store) -> Life:
    """A life whose power goes before step `at`."""
    life = Life(with_a_neighbour(), wrapped)
    life.disk.cut_at = at
    with contextlib.suppress(PowerCut):
        life.run()
    life.disk.cut_at = None
    return life


def found(door: Door) -> Iterator[Held]:
    """Everything that digits of this life still do at slot 12; trying changes it."""
    for digits in (FIRST, CHANGED, NEXT):
        if attempt(door, partial(door.type_in, digits, 12)):
            yield Held(opens=digits)
    for digits in (INVITATION, SECOND_INVITATION):
        if attempt(door, partial(door.set_pin, digits, LAST, 12)):
            yield Held(redeems=digits)


def attempt(door: Door, tried: Callable[[], bool]) -> bool:
    """As if nothing had been mistyped before."""
    door.now_ns += 4 * 3600 * 10**9
    return tried()


def problem(life: Life, loss: Loss, seed: int) -> str | None:
    """What is wrong at the start after the cut; None if everything is as it must be."""
    after = dataclasses.replace(life, disk=life.disk.after_power_cut(loss, seed))
    door = after.door(life.now_unix)
    if not attempt(door, partial(door.type_in, NEIGHBOUR, 13)):
        return "the neighbour is locked out"
    over = life.under_way is not None and life.under_way.after == NOTHING
    if over and door.taken(12):
        return "vault would let the face of somebody who has moved out go on"
    holds = list(found(door))
    if len(holds) > 1:
        return f"two things work at once: {holds}"
    if (holds[0] if holds else NOTHING) not in life.possible():
        return f"{holds} after {life.possible()}"
    return None


def problems(wrapped: Wrapped = lambda store: store, step: int = 1) -> list[str]:
    return [
        f"cut before step {at}, {loss.name} {seed}: {text}"
        for at in range(0, STEPS + 1, step)
        for life in [cut(at, wrapped)]
        for loss, seed in LOSSES
        if (text := problem(life, loss, seed * 1000 + at))
    ]


def test_there_are_hundreds_of_ways_to_cut_the_power() -> None:
    assert STEPS * len(LOSSES) >= 400


@pytest.mark.slow
def test_at_every_cut_what_was_acknowledged_works_and_what_has_ended_does_not() -> None:
    assert problems() == []


def cuts_of(number: int) -> list[Life]:
    """The lives that were cut during change `number`."""
    lives = [cut(at) for at in range(STEPS + 1)]
    return [life for life in lives if life.under_way is CHANGES[number]]


@pytest.mark.slow
def test_a_change_of_pin_leaves_the_old_or_the_new_one_and_both_happen() -> None:
    seen = set()
    for life in cuts_of(2):
        for loss, seed in LOSSES:
            after = dataclasses.replace(life, disk=life.disk.after_power_cut(loss, seed))
            (held,) = found(after.door(NOON))
            seen.add(held)
    assert seen == {Held(opens=FIRST), Held(opens=CHANGED)}


@pytest.mark.slow
def test_a_cut_while_a_pin_is_destroyed_leaves_it_or_nothing_and_no_clock_brings_it_back() -> None:
    """With the clock set back into the tenancy: as if it had jumped ahead. Afterwards it is right again."""
    seen = set()
    for life in cuts_of(3):
        for loss, seed in LOSSES:
            after = dataclasses.replace(life, disk=life.disk.after_power_cut(loss, seed))
            seen.add((*found(after.door(NOON + 100)), NOTHING)[0])
            door = after.door(END + 1)
            door.live(GRACE_S + LOOK_S)
            assert list(found(after.door(NOON + 100))) == []
    assert seen == {Held(opens=CHANGED), NOTHING}


# ---- seeded faults


@dataclass
class Wrapper:
    """Keeper's records, with a fault."""

    store: Records

    def records(self) -> dict[int, bytes]:
        return self.store.records()

    def put(self, slot: int, payload: bytes) -> None:
        self.store.put(slot, payload)


@dataclass
class AcknowledgesFirst(Wrapper):
    """The seeded fault: a change is written when the next one comes."""

    late: tuple[int, bytes] | None = None

    def put(self, slot: int, payload: bytes) -> None:
        if self.late:
            self.store.put(*self.late)
        self.late = (slot, payload)


class RemovesFirst(Wrapper):
    """The seeded fault: the old PIN goes before the new one is there."""

    def put(self, slot: int, payload: bytes) -> None:
        assert isinstance(self.store, SealedStore)
        self.store.remove(slot)
        self.store.put(slot, payload)


class ForgetsTheEnd(Wrapper):
    """The seeded fault: the end is not on the disk."""

    def put(self, slot: int, payload: bytes) -> None:
        held = record.unpack(payload)
        self.store.put(slot, record.pack(dataclasses.replace(held, ends_unix=NO_END)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "said"),
    [(AcknowledgesFirst, "after"), (RemovesFirst, "[] after"), (ForgetsTheEnd, "somebody who has moved out")],
)
def test_the_cuts_find_each_seeded_fault(fault: Wrapped, said: str) -> None:
    assert any(said in text for text in problems(fault))
