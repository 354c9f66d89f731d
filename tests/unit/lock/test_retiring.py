"""The end of a door: never before its notice has run, told to everybody it lets in, and then never again a way in."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device import document, wire
from device.bodies import RECALL, Retirement
from device.document import Telling
from device.edges import Room
from device.errors import DocumentRefused, StoreFault
from device.lock import durable, machine
from device.lock import policy as policy_module
from device.lock import retiring as retiring_module
from device.lock.farewell import AGAIN_NS, Farewell
from device.lock.loop import LockWork
from device.lock.policy import Policy, VersionFile
from device.lock.retiring import Retiring, marked
from device.lock.standing import standing
from device.lock.state import Came, Key, Release, Send, Show, Signal
from device.policy.methods import NOTHING
from device.wire import Ending, OccurrenceKind, Outcome, Result
from tests.unit.lock.house import DOCUMENT_KEY, DOOR, MANAGER, Clock, End, House, offer, sealed
from tests.unit.lock.support import NOW, RULES, S, World, connected, events, states, with_rules

HOUR_NS = 3_600_000_000_000
NOTICE_NS = 72 * HOUR_NS
LOOK_NS, KEEP_NS = HOUR_NS // 4, HOUR_NS  # longer than at a door, so that days of it are soon over
SLACK_NS = KEEP_NS + 2 * LOOK_NS


def signed(hours: int, version: int) -> bytes:
    return document.sign(Retirement(hours), door_id=DOOR, version=version, issued_unix=1_900_000_000, key=MANAGER)


def travels(hours: int, version: int) -> wire.Document:
    return wire.Document(document.seal(signed(hours, version), door_id=DOOR, document_key=DOCUMENT_KEY.public))


def verified(content: bytes) -> document.Parsed:
    return document.parse(content, DOOR, bytes(MANAGER.verify_key))


def started(folder: Path) -> Retiring:
    return Retiring(folder, verified, DOCUMENT_KEY.kept)


def announced(folder: Path, hours: int = 72, version: int = 7) -> Retiring:
    found = started(folder)
    content = signed(hours, version)
    found.apply(content, verified(content))
    return found


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Days of counting, without waiting for the disk of this machine."""
    monkeypatch.setattr(os, "fsync", lambda _handle: None)
    monkeypatch.setattr(retiring_module, "LOOK_NS", LOOK_NS)
    monkeypatch.setattr(retiring_module, "KEEP_NS", KEEP_NS)


# ---- the count

lives = st.lists(
    st.one_of(
        st.tuples(st.just("runs"), st.integers(1, 20 * 4)),  # quarters of an hour with a clock that is believed
        st.tuples(st.just("doubts"), st.integers(1, 20 * 4)),  # and with one that is not
        st.tuples(st.just("hangs"), st.integers(1, 80 * 4)),  # the process is not scheduled
        st.tuples(st.just("off"), st.integers(1, 80 * 4)),  # and CLOCK_MONOTONIC begins anew
        st.tuples(st.just("again"), st.just(0)),  # the same document is brought once more
    ),
    max_size=10,
)


@settings(max_examples=25, deadline=None)
@given(lives, st.booleans())
def test_no_end_before_72_hours_have_run_believed_whatever_happens(
    tmp_path_factory: pytest.TempPathFactory, life: list[tuple[str, int]], tidy: bool
) -> None:
    folder = tmp_path_factory.mktemp("lock")
    retiring, now_ns, ran_ns = announced(folder), 0, 0
    for what, quarters in life:
        if what == "again":
            content = signed(72, 7)
            retiring.apply(content, verified(content))
        elif what == "off":
            retiring, now_ns = started(folder), 0 if tidy else now_ns
        elif what == "hangs":
            now_ns += quarters * LOOK_NS
            ran_ns += LOOK_NS  # as if one look had come late
        for _ in range(quarters if what in ("runs", "doubts") else 0):
            now_ns += LOOK_NS
            ran_ns += LOOK_NS if what == "runs" else 0
            retiring.tick(now_ns, believed=what == "runs")
        assert not retiring.due or ran_ns >= NOTICE_NS, "sooner than announced"


class Impatient(Retiring):
    """The same without its guard: it believes that it ran as long as the clock says."""

    def tick(self, now_ns: int, *, believed: bool) -> None:
        self._counted_ns += max(0, now_ns - (self._last_ns or 0))
        self._last_ns = now_ns


def test_a_count_that_takes_every_hour_for_an_hour_of_running_is_caught(tmp_path: Path) -> None:
    """The seeded fault: hung for four days, or doubting its clock for as long."""
    for kind, early in ((Retiring, False), (Impatient, True)):
        folder = tmp_path / kind.__name__
        announced(folder)
        retiring = kind(folder, verified, DOCUMENT_KEY.kept)
        retiring.tick(1, believed=True)
        retiring.tick(96 * HOUR_NS, believed=True)
        assert retiring.due is early


def test_it_comes_after_the_notice_and_a_restart_costs_minutes_at_most(tmp_path: Path) -> None:
    retiring, now_ns, restarts = announced(tmp_path), 0, 0
    while not retiring.due:
        now_ns += LOOK_NS
        retiring.tick(now_ns, believed=True)
        if now_ns % (6 * HOUR_NS) == 0:
            retiring, restarts = started(tmp_path), restarts + 1
        assert now_ns < NOTICE_NS + (restarts + 1) * SLACK_NS
    assert restarts >= 11
    assert now_ns >= NOTICE_NS
    assert retiring.left_s == 0


def run(retiring: Retiring, hours: int, from_ns: int = 0) -> int:
    for step in range(hours * 4 + 1):
        retiring.tick(from_ns + step * LOOK_NS, believed=True)
    return from_ns + hours * 4 * LOOK_NS


def test_a_newer_document_begins_anew_and_0_takes_it_back(tmp_path: Path) -> None:
    retiring = announced(tmp_path)
    run(retiring, 40)
    assert 31 * 3600 < retiring.left_s <= 32 * 3600
    assert announced(tmp_path, 72, 8).left_s == 72 * 3600
    recalled = announced(tmp_path, RECALL, 9)
    assert (recalled.ending, recalled.left_s, recalled.deadline_ns()) == (Ending.NONE, 0, None)
    run(recalled, 100)
    assert not recalled.due
    assert started(tmp_path).ending is Ending.NONE


@pytest.mark.parametrize("lost", ["retirement-count", "retirement"])
@pytest.mark.parametrize("how", ["gone", "torn", "older"])
def test_whatever_is_lost_of_it_makes_the_end_later_and_never_sooner(tmp_path: Path, lost: str, how: str) -> None:
    retiring = announced(tmp_path)
    run(retiring, 1)
    older = (tmp_path / lost).read_bytes()
    run(retiring, 70, HOUR_NS)
    path = tmp_path / lost
    match how:
        case "gone":
            path.unlink()
        case "torn":
            path.write_bytes(path.read_bytes()[:-1] + b"\0")
        case _:
            path.write_bytes(older)
    left_s = started(tmp_path).left_s
    if lost == "retirement":
        assert left_s in (0, retiring.left_s) if how == "older" else left_s == 0
        assert started(tmp_path).ending is (Ending.ANNOUNCED if how == "older" else Ending.NONE)
    else:
        assert left_s >= 70 * 3600, "as it was after the first hour, or before"
    assert not started(tmp_path).due


def test_a_count_of_another_document_counts_nothing(tmp_path: Path) -> None:
    run(announced(tmp_path), 71)
    kept = (tmp_path / "retirement-count").read_bytes()
    announced(tmp_path, 72, 8)
    (tmp_path / "retirement-count").write_bytes(kept)
    assert started(tmp_path).left_s == 72 * 3600


def test_a_power_cut_takes_five_minutes_of_the_count_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert (retiring_module.LOOK_NS, retiring_module.KEEP_NS) == (60 * S, 300 * S)


# ---- documents, and the decision


def policy(folder: Path) -> Policy:
    return Policy(DOOR, bytes(MANAGER.verify_key), DOCUMENT_KEY, VersionFile(folder / "policy-version"))


def test_an_older_or_replayed_announcement_is_stale_and_a_shorter_one_is_not_signed(tmp_path: Path) -> None:
    door = policy(tmp_path)
    for hours, version, result in (
        (72, 7, Result.DONE),
        (72, 7, Result.STALE),
        (RECALL, 6, Result.STALE),
        (RECALL, 8, Result.DONE),
        (72, 7, Result.STALE),
    ):
        assert door.received(travels(hours, version).content, Room.DESK) == (result, ())
    for hours in (1, 71, 8785):
        with pytest.raises(DocumentRefused, match="72 to 8784"):
            signed(hours, 9)


def test_once_it_has_ended_every_document_is_too_late_and_nothing_of_the_manager_is_left(tmp_path: Path) -> None:
    door = policy(tmp_path)
    assert door.received(travels(72, 7).content, Room.DESK)[0] is Result.DONE
    door.end()
    for _ in range(2):
        assert door.received(travels(RECALL, 8).content, Room.DESK) == (Result.RETIRED, ())
        assert door.received(sealed(9, offer()), Room.DESK) == (Result.RETIRED, ())
        assert door.retiring.ending is Ending.RETIRED
        door = policy(tmp_path)
        assert door.version == 7
        assert {path.name for path in tmp_path.iterdir()} == {"retired"}


class PowerCut(BaseException):
    """Nothing of the process goes on."""


def test_a_power_cut_at_any_moment_leaves_a_door_or_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before every file operation of deciding and of destroying: either nothing happened, or it goes on to the end."""
    seen: set[bool] = set()
    for number in range(200):
        folder = tmp_path / str(number)
        door = policy(folder)
        assert door.received(travels(72, 7).content, Room.DESK)[0] is Result.DONE
        before = {path.name for path in folder.iterdir()}
        left = number
        real = {"fsync": os.fsync, "replace": Path.replace, "open": Path.open, "unlink": Path.unlink}

        def operation(name: str, *args: object, **named: object) -> object:
            nonlocal left
            left -= 1
            if left < 0:
                raise PowerCut
            return real[name](*args, **named)  # type: ignore[operator] # noqa: B023 - the same ones in every turn

        cut = True
        with monkeypatch.context() as wired, suppress(PowerCut):
            wired.setattr(os, "fsync", lambda *a: operation("fsync", *a))
            for name in ("replace", "open", "unlink"):
                wired.setattr(Path, name, lambda self, *a, _name=name, **n: operation(_name, self, *a, **n))
            door.end()
            policy(folder)
            cut = False
        seen.add(marked(folder) is not None)
        after = policy(folder)
        if after.retiring.over:
            assert {path.name for path in folder.iterdir()} == {"retired"}
            assert after.version == 7
        else:
            assert before <= {path.name for path in folder.iterdir()}, "nothing is gone before the mark is there"
            assert after.retiring.ending is Ending.ANNOUNCED
        if not cut:
            break
    assert seen == {False, True}


def test_a_disk_that_does_not_take_the_mark_leaves_a_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    door = policy(tmp_path)

    def full(*_: object) -> None:
        msg = "it cannot be stored"
        raise StoreFault(msg)

    with monkeypatch.context() as wired:
        wired.setattr(durable, "store", full)
        with pytest.raises(StoreFault):
            door.end()
    assert door.retiring.ending is Ending.NONE
    assert policy(tmp_path).retiring.ending is Ending.NONE


def test_what_lock_kept_is_destroyed_on_a_full_disk_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded with a door that writes its mark anew before it destroys: on that disk it would destroy nothing."""
    door = policy(tmp_path)
    assert door.received(travels(72, 7).content, Room.DESK)[0] is Result.DONE
    door.end()
    real = Path.open

    def full(path: Path, mode: str = "r", *args: int, **named: str) -> IO[Any]:
        if "w" in mode:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        file: IO[Any] = real(path, mode, *args, **named)  # type: ignore[call-overload] # whatever it was called with
        return file

    def hasty(folder: Path) -> None:
        durable.store(folder / "retired", b"", "that this door has ended")

    monkeypatch.setattr(Path, "open", full)
    with monkeypatch.context() as wired:
        wired.setattr(policy_module, "finish", hasty)
        assert not policy(tmp_path).clear()
    assert len(list(tmp_path.iterdir())) > 1
    assert policy(tmp_path).clear()
    assert {path.name for path in tmp_path.iterdir()} == {"retired"}
    assert marked(tmp_path) == 7


def test_what_lock_cannot_remove_is_tried_again_every_minute_and_no_receipt_is_asked_for_before(
    house: House, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Ending72(house)
    first.proves()
    assert first.asks() is Result.DONE

    def stuck(_folder: Path) -> None:
        msg = "what lock kept cannot be removed yet: Input/output error"
        raise StoreFault(msg)

    with monkeypatch.context() as wired:
        wired.setattr(policy_module, "finish", stuck)
        again = House(tmp_path, clock)
    try:
        keeper, vault = again.join(Room.KEEPER), again.join(Room.VAULT)
        with monkeypatch.context() as wired:
            wired.setattr(policy_module, "finish", stuck)
            again.turn()
            for end in (keeper, vault):
                end.say(wire.Retired(attested=False))
            again.turn()
            again.passes(61)
            assert wire.Retire(all_gone=True) not in vault.heard()
        again.passes(61)
        assert wire.Retire(all_gone=True) in vault.heard()
    finally:
        again.close()


def test_a_recall_that_comes_before_the_decision_counts_though_the_time_is_over(house: House) -> None:
    """The time is over, and lock has not looked yet; once it has, it is too late."""
    door = Ending72(house)
    retiring = house.work._policy.retiring
    content = signed(72, 7)
    retiring.apply(content, verified(content))
    retiring._counted_ns = NOTICE_NS
    assert retiring.due
    door.desk.say(travels(RECALL, 8))
    house.turn()
    assert wire.Ack(8, Result.DONE) in door.desk.heard()
    assert door.ending is Ending.NONE
    house.passes(3600)
    assert not house.service._stopping
    content = signed(72, 9)
    retiring.apply(content, verified(content))
    retiring._counted_ns = NOTICE_NS
    house.passes(61)
    assert standing(house.work.state, house.work._policy).ending is Ending.RETIRED
    door.desk.say(travels(RECALL, 10))
    house.turn()
    assert door.desk.heard()[-1] == wire.Ack(8, Result.RETIRED)


class NeverMind(LockWork):
    """The same without the wait for whoever was let in."""

    def _towards_the_end(self, now_ns: int) -> None:
        self.state = replace(self.state, granted_until_ns=None)
        super()._towards_the_end(now_ns)


@pytest.mark.parametrize(("kind", "waits"), [(LockWork, True), (NeverMind, False)])
def test_whoever_was_let_in_goes_through_before_an_announced_end(
    house: House, kind: type[LockWork], waits: bool
) -> None:
    door = Ending72(house)
    house.work.__class__ = kind
    retiring = house.work._policy.retiring
    content = signed(72, 7)
    retiring.apply(content, verified(content))
    door.lets_in(door.keeper)
    assert house.work.state.granted_until_ns is not None
    retiring._counted_ns = NOTICE_NS
    house.work.tick()
    assert (door.ending is Ending.ANNOUNCED) is waits
    house.passes(RULES.unlock_ns // S + 61)
    assert door.ending is Ending.RETIRED
    assert (house.board.bolt.released_ms is None) is waits


def test_a_disk_that_does_not_take_the_decision_is_asked_once_a_minute(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = Ending72(house)
    retiring = house.work._policy.retiring
    content = signed(72, 7)
    retiring.apply(content, verified(content))
    retiring._counted_ns = NOTICE_NS
    tried: list[int] = []

    def full(*_: object) -> None:
        tried.append(house.clock.now_ns)
        msg = "it cannot be stored"
        raise StoreFault(msg)

    with monkeypatch.context() as wired:
        wired.setattr(durable, "store", full)
        for _ in range(100):
            house.work.tick()
            house.clock.now_ns += S
    ends = [at for at in tried if at]
    assert 1 <= len(ends) <= 4, "the decision, and what is stored of the count"
    assert door.ending is Ending.ANNOUNCED, "until it is written down it is a door"
    house.passes(LOOK_NS // S + 1)
    assert standing(house.work.state, house.work._policy).ending is Ending.RETIRED


def test_a_mark_that_cannot_be_read_is_a_mark(tmp_path: Path) -> None:
    for content in (b"", b"?", b"DWLR\x02\0\0\0\0"):
        (tmp_path / "retired").write_bytes(content)
        assert policy(tmp_path).retiring.over


# ---- the machine


def test_after_the_end_no_verdict_in_any_state_releases() -> None:
    """And a door that forgets to say that nothing opens is caught by the same search."""
    over = with_rules(methods=NOTHING, ending=Ending.RETIRED)
    forgetful = with_rules(ending=Ending.RETIRED)
    yes = [event for name, event in events().items() if name.startswith("verdict") and name.endswith(("yes", "duress"))]
    for rules, opens in ((over, False), (forgetful, True)):
        released = (
            isinstance(effect, Release)
            for state in states().values()
            for event in yes
            for effect in machine.step(state, event, NOW, b"n" * 16, rules)[1]
        )
        assert any(released) is opens


def test_whoever_is_let_in_hears_that_the_door_ends_once_they_have_heard_that_it_is_open() -> None:
    for ending, said in ((Ending.NONE, 0), (Ending.ANNOUNCED, 1)):
        world = connected(World(rules=with_rules(ending=ending)))
        for key in "12#482913#":
            world.send(Key(key))
        question = [e.msg for e in world.effects if isinstance(e, Send) and e.room is Room.KEEPER][-1]
        assert isinstance(question, wire.CheckPin)
        world.send(Came(Room.KEEPER, wire.Verdict(question.nonce, world.now_ns, Outcome.ACCEPTED, 12)))
        world.passes(RULES.announce_ns - 1)
        assert Show(Signal.DOOR_ENDS) not in world.effects
        world.passes(10 * S)
        assert world.effects.count(Show(Signal.DOOR_ENDS)) == said


def test_a_refusal_sounds_the_same_whether_the_door_ends_or_not() -> None:
    told: list[list[Signal]] = []
    for ending in (Ending.NONE, Ending.ANNOUNCED):
        world = connected(World(rules=with_rules(ending=ending)))
        for key in "12#482913#":
            world.send(Key(key))
        question = [e.msg for e in world.effects if isinstance(e, Send) and e.room is Room.KEEPER][-1]
        assert isinstance(question, wire.CheckPin)
        world.send(Came(Room.KEEPER, wire.Verdict(question.nonce, world.now_ns, Outcome.REFUSED, 0)))
        world.passes(60 * S)
        told.append([effect.signal for effect in world.effects if isinstance(effect, Show)])
    assert told[0] == told[1]


# ---- lock's process


class Ending72:
    """A door in memory with keeper, vault and desk there."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.unix = 1_900_000_000.0
        house.work._policy.hours.wall = lambda: self.unix
        self.keeper, self.vault = house.join(Room.KEEPER), house.join(Room.VAULT)
        self.desk, self.report = house.join(Room.DESK), house.join(Room.REPORT)
        self.keeper.say(wire.Occupied(many=False, some=True))
        house.turn()
        for end in (self.keeper, self.vault, self.desk, self.report):
            end.heard()

    @property
    def ending(self) -> Ending:
        return self.house.work._policy.retiring.ending

    def asks(self, door: bytes = DOOR) -> Result:
        self.desk.say(wire.RetireDoor(door))
        self.house.turn()
        (ended,) = self.desk.heard()
        assert isinstance(ended, wire.Ended)
        return ended.result

    def proves(self, outcome: Outcome = Outcome.ACCEPTED) -> None:
        self.house.keys("011#12#482913#")
        question = self.keeper.heard()[-1]
        assert isinstance(question, wire.ProveResident)
        self.keeper.say(wire.Answer(question.nonce, outcome))
        self.house.turn()

    def lets_in(self, end: End) -> None:
        self.house.keys("12#482913#")
        end.say(self.house.accepted(end.heard()[-1]))
        self.house.turn()


def test_nobody_ends_the_door_alone_and_none_for_another_one(house: House) -> None:
    door = Ending72(house)
    assert door.asks() is Result.NO_GRANT
    door.proves(Outcome.REFUSED)
    assert door.asks() is Result.NO_GRANT
    door.proves()
    assert house.board.bolt.releases == 0, "a proof opens nothing"
    assert door.asks(bytes(8)) is Result.WRONG_DOOR
    assert door.ending is Ending.NONE
    house.passes(61)
    assert door.asks() is Result.NO_GRANT, "a minute later it is no proof any more"
    door.proves()
    assert door.asks() is Result.DONE
    assert standing(house.work.state, house.work._policy).ending is Ending.RETIRED


def test_a_pin_that_opens_is_no_proof(house: House) -> None:
    door = Ending72(house)
    door.lets_in(door.keeper)
    assert house.board.bolt.releases == 1
    assert door.asks() is Result.NO_GRANT


def test_only_a_keeper_that_says_nobody_lives_here_makes_up_for_a_proof(house: House) -> None:
    door = Ending72(house)
    house.service.peers.drop(door.keeper.link)
    house.turn()
    assert door.asks() is Result.NO_GRANT, "one that is away says nothing"
    back = house.join(Room.KEEPER)
    house.turn()
    assert door.asks() is Result.NO_GRANT
    back.say(wire.Occupied(many=False, some=False))
    house.turn()
    assert door.asks() is Result.DONE


def test_from_the_decision_on_nothing_opens_and_the_process_ends(house: House) -> None:
    door = Ending72(house)
    door.proves()
    assert door.asks() is Result.DONE
    assert house.service._stopping
    door.lets_in(door.keeper)
    assert house.board.bolt.releases == 0
    assert house.board.signals[-1] is Signal.REFUSED


def test_a_door_that_goes_on_opening_after_the_decision_is_caught(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded fault of the test above: the rules are not asked."""
    door = Ending72(house)
    rules = house.work._rules_at(house.clock.now_ns)
    door.proves()
    assert door.asks() is Result.DONE
    monkeypatch.setattr(house.work, "_rules_at", lambda _now_ns: rules)
    door.lets_in(door.keeper)
    assert house.board.bolt.releases == 1


def test_an_announced_end_comes_by_itself_after_72_hours(house: House) -> None:
    door = Ending72(house)
    door.desk.say(travels(72, 7))
    house.turn()
    (ack,) = door.desk.heard()
    assert ack == wire.Ack(7, Result.DONE)
    end_ns = house.clock.now_ns + NOTICE_NS
    while not house.service._stopping:
        due_s = house.work.deadline()
        assert due_s is not None
        step_ns = max(0, round(due_s * 1e9) - house.clock.now_ns)
        house.clock.now_ns += step_ns
        door.unix += step_ns / 1e9
        house.work.tick()
        assert house.clock.now_ns < end_ns + SLACK_NS
    assert house.clock.now_ns >= end_ns
    assert door.ending is Ending.RETIRED


def test_the_next_process_asks_everybody_until_nothing_is_left_and_report_hears_it(
    house: House, tmp_path: Path, clock: Clock
) -> None:
    first = Ending72(house)
    first.proves()
    assert first.asks() is Result.DONE
    again = House(tmp_path, clock)
    try:
        again.turn()
        keeper, vault, report = again.join(Room.KEEPER), again.join(Room.VAULT), again.join(Room.REPORT)
        again.turn()
        asked = wire.Retire(all_gone=False)
        assert asked in keeper.heard()
        assert asked in vault.heard()
        assert wire.Occurrence(OccurrenceKind.RETIRED) in report.heard()
        vault.say(wire.Retired(attested=False))
        again.turn()
        assert keeper.heard() == [asked]
        keeper.say(wire.Retired(attested=False))
        again.turn()
        assert wire.Retire(all_gone=True) in vault.heard()
        vault.say(wire.Retired(attested=True))
        again.turn()
        again.passes(600)
        assert [msg for end in (keeper, vault) for msg in end.heard() if isinstance(msg, wire.Retire)] == []
        assert standing(again.work.state, again.work._policy).ending is Ending.RETIRED
        again.keys("12#482913#")
        keeper.say(again.accepted(keeper.heard()[-1]))
        again.turn()
        assert again.board.bolt.releases == 0
    finally:
        again.close()


def test_no_receipt_is_asked_for_while_anybody_has_something_left() -> None:
    farewell, now_ns = Farewell(), 5
    assert dict(farewell.questions(now_ns)) == dict.fromkeys((Room.KEEPER, Room.VAULT), wire.Retire(all_gone=False))
    assert farewell.questions(now_ns + AGAIN_NS - 1) == ()
    farewell.heard(Room.VAULT, wire.Retired(attested=False))
    assert farewell.questions(now_ns) == ((Room.KEEPER, wire.Retire(all_gone=False)),)
    farewell.heard(Room.KEEPER, wire.Retired(attested=True))
    assert farewell.questions(now_ns) == (), "lock itself has something left"
    farewell.gone.add(Room.LOCK)
    farewell.came()
    assert farewell.questions(now_ns) == ((Room.VAULT, wire.Retire(all_gone=True)),), "keeper attests nothing"
    farewell.heard(Room.VAULT, wire.Retired(attested=True))
    assert farewell.deadline_ns() is None


def test_another_kind_of_document_changes_nothing_of_the_end(tmp_path: Path) -> None:
    retiring = announced(tmp_path)
    content = document.sign(Telling(), door_id=DOOR, version=8, issued_unix=1_900_000_000, key=MANAGER)
    retiring.apply(content, verified(content))
    assert retiring.ending is Ending.ANNOUNCED
