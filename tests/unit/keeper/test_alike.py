"""Right, wrong, under duress, a guest's, nobody's: the same work in the same order, and messages of one size.

What a watch at the keypad or at the door's wires could tell apart is work: stretches, writes and their sizes, messages
and theirs, in order. It is compared for equality over hundreds of random cases.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from device import codes, wire
from device.edges import Room
from device.keeper import attempt as attempt_module
from device.keeper import loop as loop_module
from device.keeper.attempt import Attempt, Settling
from device.keeper.attempts import PAGE_BYTES
from device.keeper.changes import Proven
from device.keeper.line import Task
from device.keeper.match import By
from device.keeper.throttle import Counts
from device.wire import Outcome, Proof, Purpose, Secret
from tests.unit.keeper.bench import DAY, DURESS, GUESTS, INVITATION, PIN, Door

WRONG = "905217"
Event = tuple[str, int]


@dataclass
class Watch:
    """Everything that `door` does from now on, in order."""

    door: Door
    events: list[Event] = field(default_factory=list)
    opened: bool = False  # by the last act

    def __post_init__(self) -> None:
        door, file, store = self.door, self.door.guard.file, self.door.guard.book._store
        save, put, send, stretch = file.save, store.put, door.house.send, door.stretch

        def saves(counts: Counts) -> None:
            before = _bytes(door.state)
            save(counts)
            after = _bytes(door.state)
            changed = sum(before[at:][:PAGE_BYTES] != after[at:][:PAGE_BYTES] for at in (0, PAGE_BYTES))
            self.events.append(("page", changed * PAGE_BYTES))

        def puts(slot: int, payload: bytes) -> None:
            put(slot, payload)
            self.events.append(("record", len(payload)))

        def sends(peer: Room, msg: wire.Message) -> bool:
            self.events.append((f"{type(msg).__name__} to {peer}", len(wire.pack(msg))))
            self.opened = isinstance(msg, wire.Verdict) and msg.outcome is not Outcome.REFUSED
            return send(peer, msg)

        def stretches(digits: str, salt: bytes) -> bytes:
            self.events.append(("stretch", len(salt)))
            return stretch(digits, salt)

        file.save = saves  # type: ignore[method-assign] # watched for one test
        store.put = puts  # type: ignore[method-assign] # likewise
        door.house.send = sends  # type: ignore[method-assign] # likewise
        door.stretch = stretches

    def of(self, act: Callable[[], object]) -> tuple[Event, ...]:
        """What happens while `act` does."""
        self.events.clear()
        act()
        return tuple(self.events)


def _bytes(state: Path) -> bytes:
    return (state / "attempts").read_bytes()


@pytest.fixture
def house(door: Door) -> Door:
    """12 has everything; 13 a PIN and nothing beside it; 14 an open invitation; 15 nothing."""
    door.move_in(12)
    door.move_in(13, "271828")
    door.invite(14)
    assert door.set_secret(Secret.DURESS, PIN, DURESS) is Outcome.ACCEPTED
    assert door.set_secret(Secret.GUESTS, PIN, GUESTS) is Outcome.ACCEPTED
    door.house.sent.clear()
    return door


CHECKED = (("page", PAGE_BYTES), ("stretch", 16), ("Verdict to lock", 31), ("page", PAGE_BYTES))
MARKED = (*CHECKED[:2], ("record", 310), *CHECKED[2:])


def cases(door: Door, dice: random.Random) -> dict[str, tuple[str, int]]:
    """Every kind of attempt that opens nothing new: digits and the flat they are typed for."""
    key = door.guests_key()
    return {
        "right": (PIN, 12),
        "duress": (DURESS, 12),
        "window": (codes.write(key, codes.Window(DAY - dice.randrange(5), 5)), 12),
        "wrong": (f"{dice.randrange(10**6):06d}", 12),
        "wrong once": (f"{dice.randrange(10**13):013d}", 12),
        "wrong window": (f"{dice.randrange(10**14):014d}", 12),
        "window that is over": (codes.write(key, codes.Window(DAY - 50, 5)), 12),
        "code of another flat": (codes.write(key, codes.Once(7)), 13),
        "right, where there is no duress": ("271828", 13),
        "invitation": (INVITATION, 14),
        "unknown flat": (PIN, dice.randrange(15, 9999)),
        "nobody": (PIN, 0),
        "nothing": ("", 12),
    }


def told_apart(door: Door, rounds: int = 30) -> set[str]:
    """The kinds of attempts whose work differs from that of a right PIN."""
    watch, dice, found = Watch(door), random.Random(3), set()
    opened: set[str] = set()
    for _ in range(rounds):
        for name, (digits, flat) in sorted(cases(door, dice).items(), key=lambda _: dice.random()):
            door.wait(dice.choice((0.0, 3600.0)))
            if watch.of(partial(door.check, digits, flat)) != CHECKED:
                found.add(name)
            opened |= {name} if watch.opened else set()
    assert rounds < 30 or opened == {"right", "duress", "window", "right, where there is no duress"}
    return found


def test_390_random_attempts_of_13_kinds_look_alike(house: Door) -> None:
    assert told_apart(house) == set()


def test_a_right_one_time_code_has_one_write_more_and_it_comes_before_the_answer(house: Door) -> None:
    watch, key = Watch(house), house.guests_key()
    for number in (3, 60, 0):
        digits = codes.write(key, codes.Once(number))
        assert watch.of(partial(house.check, digits)) == MARKED
        assert watch.of(partial(house.check, digits)) == CHECKED, "used: as any wrong one"


def test_grants_are_earned_alike(house: Door) -> None:
    watch = Watch(house)
    for purpose in Purpose:
        right, duress = (watch.of(partial(house.proof, pin, purpose)) for pin in (PIN, DURESS))
        assert right == duress
        assert [name for name, _ in right] == [
            "page",
            "stretch",
            "Grant to vault",
            "GrantTicket to desk",
            "Answer to lock",
            "page",
        ]


SET = (("page", PAGE_BYTES), ("stretch", 16), ("stretch", 16), ("Answer to lock", 19), ("page", PAGE_BYTES))
KEPT = (*SET[:3], ("record", 310), *SET[3:])


@pytest.mark.parametrize("secret", Secret)
@pytest.mark.parametrize(("shown", "slot"), [(WRONG, 12), (PIN, 99), (INVITATION, 14), (PIN, 0), ("271828", 12)])
def test_whatever_is_to_be_set_is_refused_alike(house: Door, secret: Secret, shown: str, slot: int) -> None:
    new = GUESTS if secret is Secret.GUESTS else "662071"
    assert Watch(house).of(lambda: house.set_secret(secret, shown, new, slot)) == SET


@pytest.mark.parametrize("secret", [Secret.DURESS, Secret.GUESTS])
@pytest.mark.parametrize("shown", [PIN, DURESS])
def test_forgetting_is_the_same_work_as_setting(house: Door, secret: Secret, shown: str) -> None:
    assert Watch(house).of(lambda: house.set_secret(secret, shown, "0")) == KEPT


@pytest.mark.parametrize("shown", [PIN, DURESS])
@pytest.mark.parametrize("secret", Secret)
def test_a_setting_that_is_kept_is_written_once_under_duress_too(house: Door, secret: Secret, shown: str) -> None:
    new = GUESTS if secret is Secret.GUESTS else "662071"
    assert Watch(house).of(lambda: house.set_secret(secret, shown, new)) == KEPT


def test_a_pin_that_meets_the_duress_pin_is_refused_like_a_wrong_one(house: Door) -> None:
    watch = Watch(house)
    assert watch.of(lambda: house.set_secret(Secret.PIN, PIN, "739106")) == SET
    assert watch.of(lambda: house.set_secret(Secret.PIN, WRONG, "739106")) == SET


def test_an_invitation_is_redeemed_with_as_many_stretches(house: Door) -> None:
    watch = Watch(house)
    assert watch.of(lambda: house.set_pin(INVITATION, "662071", 14)) == KEPT
    assert watch.of(lambda: house.set_pin(INVITATION, "739105", 14)) == SET
    assert watch.of(lambda: house.set_secret(Secret.PIN, WRONG, "739105", 15, Proof.INVITATION)) == SET


def test_an_invitation_that_was_used_is_the_work_of_a_wrong_one(house: Door) -> None:
    watch, dice = Watch(house), random.Random(5)
    shown = {"used": (INVITATION, 12), "wrong": (WRONG, 12), "no flat": (INVITATION, 15), "wrong, open": (WRONG, 14)}
    for _ in range(20):
        for name, (digits, slot) in sorted(shown.items(), key=lambda _: dice.random()):
            house.wait(3600.0)
            outcome: list[Outcome] = []

            def act(digits: str = digits, slot: int = slot, outcome: list[Outcome] = outcome) -> None:
                outcome.append(house.set_secret(Secret.PIN, digits, "662071", slot, Proof.INVITATION))

            assert watch.of(act) == SET
            assert outcome == [Outcome.USED if name == "used" else Outcome.REFUSED]


# ---- seeded faults


def test_a_larger_answer_under_duress_is_seen(house: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = loop_module._outcome

    def also_a_breach(proven: Proven | None) -> Outcome:
        if proven and proven.by is By.DURESS:
            house.house.send(Room.LOCK, wire.Breach())
            house.house.sent.pop()
        return outcome(proven)

    monkeypatch.setattr(loop_module, "_outcome", also_a_breach)
    assert told_apart(house, 3) == {"duress"}


def test_a_second_stretch_for_the_duress_pin_is_seen(house: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a salt of its own, the duress PIN would need one."""
    begin = Attempt.begin

    def twice(self: Attempt) -> Callable[[], tuple[bytes, ...]]:
        work = begin(self)
        found = self._held

        def more() -> tuple[bytes, ...]:
            if found and any(found.duress):
                self.guard.stretch(self.shown.digits, bytes(16))
            return work()

        return more

    monkeypatch.setattr(Attempt, "begin", twice)
    assert {"right", "duress", "wrong"} <= told_apart(house, 3)
    assert "unknown flat" not in told_apart(house, 3)


def test_a_write_under_duress_alone_is_seen(house: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = loop_module._outcome

    def noted(proven: Proven | None) -> Outcome:
        if proven and proven.by is By.DURESS:
            house.guard.book.keep(12, proven.held)
        return outcome(proven)

    monkeypatch.setattr(loop_module, "_outcome", noted)
    assert told_apart(house, 3) == {"duress"}


def test_a_code_that_is_not_stretched_is_seen(house: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    charged_first = attempt_module.charged_first

    def shortcut(*args: object) -> Callable[[], tuple[bytes, ...]]:
        file, counts, stretch, salts = args
        digits = salts[0][0]  # type: ignore[index]
        if len(digits) in (codes.ONCE_DIGITS, codes.WINDOW_DIGITS):
            return charged_first(file, counts, lambda _digits, _salt: bytes(32), salts)  # type: ignore[arg-type]
        return charged_first(file, counts, stretch, salts)  # type: ignore[arg-type]

    monkeypatch.setattr(attempt_module, "charged_first", shortcut)
    assert told_apart(house, 3) == {
        "window",
        "wrong once",
        "wrong window",
        "window that is over",
        "code of another flat",
    }


def test_a_settling_for_right_entries_alone_is_seen(house: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    submit = house.keeper._line.submit

    def wrong_ones_stay(task: Task) -> bool:
        last = house.house.sent[-1][1] if house.house.sent else None
        if isinstance(task, Settling) and isinstance(last, wire.Verdict) and last.outcome is Outcome.REFUSED:
            return True
        return submit(task)

    monkeypatch.setattr(house.keeper._line, "submit", wrong_ones_stay)
    assert {"wrong", "unknown flat", "nobody"} <= told_apart(house, 3)
