"""The policy in force: what it allows when, how it survives, and that it only ever narrows what may open."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from device import document, wire
from device.edges import Room
from device.errors import DocumentRefused
from device.lock import loop, machine
from device.lock.hours import FloorFile, Hours
from device.lock.managers import Managers
from device.lock.policy import Policy, VersionFile
from device.lock.state import Came, DoorMoved, ExitRequested, FaceButton, Key, Release, Rules, Send, Show, Signal
from device.policy import prover, table
from device.policy.clock import EARLIEST_UNIX, LOST, Clock
from device.policy.methods import ANY_FACE, EVERYTHING, NOTHING, PIN_AND_CARD, Method
from device.policy.schedule import DoorPolicy, Interval, OtherHours, Schedule
from device.wire import Result
from tests.unit.lock.house import DOCUMENT_KEY, DOOR, MANAGER, House, offer, sealed, signed
from tests.unit.lock.house import Clock as Monotonic
from tests.unit.lock.support import FACE_NONCE, NOW, World, connected, states, verdict, with_rules

KEY = bytes(MANAGER.verify_key)
ALWAYS = ((Interval(0, 1440),),) * 7
BY_DAY = ((Interval(7 * 60, 20 * 60),),) * 7
DAYTIME = DoorPolicy("UTC", (Schedule(PIN_AND_CARD, ALWAYS), Schedule(Method.FACE, BY_DAY)))
OFFICE = DoorPolicy("UTC", (Schedule(EVERYTHING & ~Method.FACE_WITH_PIN, BY_DAY),))
NOON = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp())
NIGHT = NOON + 10 * 3600
HOUR_S = 3600


def papers(
    policy: DoorPolicy = DAYTIME, version: int = 7, issued_unix: int = NOON - 86_400, key: SigningKey = MANAGER
) -> bytes:
    return document.sign(policy, door_id=DOOR, version=version, issued_unix=issued_unix, key=key)


def closed(content: bytes) -> bytes:
    """`content` in an envelope to this door."""
    return document.seal(content, door_id=DOOR, document_key=DOCUMENT_KEY.public)


def posted(policy: DoorPolicy = DAYTIME, version: int = 7) -> bytes:
    return closed(papers(policy, version))


def forged(policy: DoorPolicy, version: int = 7) -> bytes:
    """A policy that `sign` would not sign, signed by the manager's key all the same."""
    head = papers(version=version)[:26]
    content = head + table.pack(policy)
    return content + MANAGER.sign(document._DOMAIN + content).signature


UNEQUAL = DoorPolicy("UTC", (Schedule(Method.PIN, ALWAYS), Schedule(Method.FACE, BY_DAY)))


@dataclass
class Wall:
    """The clock on the wall, and CLOCK_MONOTONIC with it."""

    now: float = NOON
    monotonic_ns: int = 10**12

    def __call__(self) -> float:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += seconds
        self.monotonic_ns += round(seconds * 1e9)


@pytest.fixture
def wall() -> Wall:
    return Wall()


def hours(folder: Path, wall: Wall, key: bytes = KEY) -> Hours:
    return Hours(folder, Managers(folder, DOOR, key, DOCUMENT_KEY.kept).kept, DOCUMENT_KEY.kept, wall)


def put(folder: Path, wall: Wall, policy: DoorPolicy = DAYTIME) -> Hours:
    found = hours(folder, wall)
    content = papers(policy)
    parsed = document.parse(content, DOOR, KEY)
    found.apply(content, parsed)
    found.told(parsed.issued_unix)
    return found


# ---- what is in force


def test_without_a_policy_everything_but_a_face_alone_opens_whatever_the_clock_says(tmp_path: Path, wall: Wall) -> None:
    found = hours(tmp_path, wall)
    for wall.now in (0.0, NOON, 2.0**62):
        assert found.at(0).allowed == PIN_AND_CARD | Method.FACE_WITH_PIN
    assert found.deadline_ns(0, closely=True) is None


def test_a_policy_is_in_force_at_once_and_after_a_restart(tmp_path: Path, wall: Wall) -> None:
    for found in (put(tmp_path, wall), hours(tmp_path, wall)):
        wall.now = NOON
        assert found.at(0).allowed == PIN_AND_CARD | Method.FACE
        wall.now = NIGHT
        assert found.at(0).allowed == PIN_AND_CARD


def test_a_policy_that_cannot_be_believed_any_more_opens_by_pin_and_card_only(tmp_path: Path, wall: Wall) -> None:
    put(tmp_path, wall)
    whole = (tmp_path / "policy").read_bytes()
    for damaged in (b"", whole[:-1], whole[:60] + b"\xff" + whole[61:], bytes(200), signed(7), forged(UNEQUAL)):
        (tmp_path / "policy").write_bytes(damaged)
        assert hours(tmp_path, wall).at(0).allowed == PIN_AND_CARD
    (tmp_path / "policy").write_bytes(whole)
    assert hours(tmp_path, wall, bytes(SigningKey.generate().verify_key)).at(0).allowed == PIN_AND_CARD
    found = hours(tmp_path, wall)
    assert found.at(0).allowed == PIN_AND_CARD | Method.FACE, "and a whole one is believed again"


def test_a_new_policy_replaces_a_damaged_one(tmp_path: Path, wall: Wall) -> None:
    (tmp_path / "policy").write_bytes(b"?")
    assert put(tmp_path, wall).at(0).allowed == PIN_AND_CARD | Method.FACE


# ---- the clock


def test_hours_that_have_ended_are_not_opened_again_by_a_clock_that_goes_back(tmp_path: Path, wall: Wall) -> None:
    found = put(tmp_path, wall)
    wall.now = NOON + 8 * HOUR_S - 1
    assert Method.FACE in found.at(0).allowed
    wall.now += 1
    assert Method.FACE not in found.at(0).allowed
    for wall.now in (NOON + 8 * HOUR_S - 1, NOON, NOON - 86_400):
        assert found.at(0).allowed == PIN_AND_CARD


def test_a_door_that_would_believe_every_clock_would_be_caught(
    tmp_path: Path, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded fault behind the test above and the next."""
    monkeypatch.setattr(Clock, "read", lambda self, wall_unix: (self, wall_unix))
    found = put(tmp_path, wall)
    wall.now = NIGHT
    found.at(0)
    wall.now = NOON
    with pytest.raises(AssertionError):
        assert Method.FACE not in found.at(0).allowed


def test_while_the_clock_is_not_believed_pin_and_card_open_and_scheduled_faces_wait(tmp_path: Path, wall: Wall) -> None:
    put(tmp_path, wall)
    wall.now = 1000.0  # a board without a battery, long before the document was issued
    assert hours(tmp_path, wall).at(0).allowed == PIN_AND_CARD
    put(tmp_path, wall, OFFICE)
    wall.now = 1000.0
    assert hours(tmp_path, wall).at(0).allowed == PIN_AND_CARD, "nobody is locked out of a house by a clock"
    wall.now = NIGHT
    assert hours(tmp_path, wall).at(0).allowed == NOTHING, "a clock that is believed counts"


def test_a_face_that_opens_at_all_times_needs_no_clock(tmp_path: Path, wall: Wall) -> None:
    put(tmp_path, wall, DoorPolicy("UTC", (Schedule(PIN_AND_CARD | Method.FACE_WITH_PIN, ALWAYS),)))
    wall.now = 0.0
    assert hours(tmp_path, wall).at(0).allowed == PIN_AND_CARD | Method.FACE_WITH_PIN


def test_the_newest_moment_is_kept_hourly_and_comes_back_after_a_restart(tmp_path: Path, wall: Wall) -> None:
    found = put(tmp_path, wall)
    stored = FloorFile(tmp_path / "time-floor")
    assert stored.load() == Clock(NOON), "with the document"
    found.tick(wall.monotonic_ns)
    wall.passes(HOUR_S - 1)
    found.tick(wall.monotonic_ns)
    assert stored.load() == Clock(NOON), "at most hourly"
    wall.passes(2)
    found.tick(wall.monotonic_ns)
    assert stored.load() == Clock(NOON + HOUR_S + 1)
    wall.now = NOON
    assert hours(tmp_path, wall).at(0).allowed == PIN_AND_CARD


def test_a_clock_that_jumped_ahead_and_was_set_right_within_the_hour_is_forgotten(tmp_path: Path, wall: Wall) -> None:
    found = put(tmp_path, wall)
    found.tick(wall.monotonic_ns)
    wall.passes(HOUR_S - 60)
    wall.now += 30 * 86_400
    found.at(wall.monotonic_ns)
    wall.passes(120)
    found.tick(wall.monotonic_ns)
    wall.now -= 30 * 86_400
    assert found.at(wall.monotonic_ns).allowed == PIN_AND_CARD, "it is doubted as long as the process lives"
    assert hours(tmp_path, wall).at(wall.monotonic_ns).allowed == PIN_AND_CARD | Method.FACE


@pytest.mark.parametrize("data", [b"", b"1234567", bytes(8), bytes(9)])
def test_a_damaged_floor_believes_no_clock_until_a_document_says_the_time(
    tmp_path: Path, wall: Wall, data: bytes
) -> None:
    put(tmp_path, wall)
    (tmp_path / "time-floor").write_bytes(data)
    found = hours(tmp_path, wall)
    assert found.at(0).allowed == PIN_AND_CARD
    found.told(NOON - 60)
    assert found.at(0).allowed == PIN_AND_CARD | Method.FACE


def test_a_floor_before_2024_is_none(tmp_path: Path) -> None:
    path = tmp_path / "time-floor"
    path.write_bytes(struct.pack("<q", -5))
    assert FloorFile(path).load() == Clock(EARLIEST_UNIX)
    path.unlink()
    path.mkdir()
    assert FloorFile(path).load() == LOST


def test_a_disk_that_does_not_take_the_floor_stops_nothing(tmp_path: Path, wall: Wall) -> None:
    (tmp_path / "time-floor.new").mkdir()
    assert put(tmp_path, wall).at(0).allowed == PIN_AND_CARD | Method.FACE


# ---- documents


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    return Policy(DOOR, KEY, DOCUMENT_KEY, VersionFile(tmp_path / "policy-version"))


def test_a_policy_is_applied_without_keeper_and_only_if_newer(policy: Policy) -> None:
    assert policy.received(posted(), Room.DESK) == (Result.DONE, ())
    assert policy.version == 7
    for version in (1, 7):
        assert policy.received(posted(OFFICE, version), Room.DESK) == (Result.STALE, ())
    assert policy.hours._policy == DAYTIME
    again = Policy(DOOR, KEY, DOCUMENT_KEY, policy.versions)
    assert again.received(posted(OFFICE, 7), Room.REPORT) == (Result.STALE, ())
    assert again.hours._policy == DAYTIME
    assert again.received(posted(OFFICE, 8), Room.REPORT) == (Result.DONE, ())
    assert again.hours._policy == OFFICE


@pytest.mark.parametrize(
    ("content", "result"),
    [
        (forged(UNEQUAL), Result.UNEQUAL),
        (forged(DoorPolicy("Mars/Olympus", DAYTIME.schedules)), Result.MALFORMED),
        (papers(key=SigningKey(bytes(32))), Result.UNSIGNED),
        (papers()[:-80] + papers()[-64:], Result.UNSIGNED),
    ],
    ids=["unequal", "unknown zone", "foreign key", "cut"],
)
def test_a_policy_that_is_refused_changes_nothing(policy: Policy, content: bytes, result: Result) -> None:
    policy.received(posted(OFFICE, 3), Room.DESK)
    assert policy.received(closed(content), Room.DESK) == (result, ())
    assert (policy.version, policy.hours._policy) == (3, OFFICE)
    assert Policy(DOOR, KEY, DOCUMENT_KEY, policy.versions).hours._policy == OFFICE


def test_a_door_without_the_prover_would_be_caught(policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault behind the test above."""
    monkeypatch.setattr(document, "refuse_unequal", lambda _policy: None)
    with pytest.raises(AssertionError):
        test_a_policy_that_is_refused_changes_nothing(policy, forged(UNEQUAL), Result.UNEQUAL)
    with pytest.raises(DocumentRefused, match="by face but not by card"):
        prover.refuse_unequal(UNEQUAL)


@pytest.mark.parametrize("blocked", ["policy.new", "policy-version.new"])
def test_a_disk_that_does_not_take_it_leaves_the_old_version_and_it_may_be_sent_again(
    policy: Policy, tmp_path: Path, blocked: str
) -> None:
    policy.received(posted(OFFICE, 3), Room.DESK)
    (tmp_path / blocked).mkdir()
    assert policy.received(posted(DAYTIME, 4), Room.DESK) == (Result.FAULT, ())
    assert policy.version == 3
    (tmp_path / blocked).rmdir()
    assert policy.received(posted(DAYTIME, 4), Room.DESK) == (Result.DONE, ())
    assert policy.hours._policy == DAYTIME


def test_a_policy_waits_while_offers_are_being_applied(policy: Policy) -> None:
    policy.received(sealed(7, offer()), Room.DESK)
    assert policy.received(posted(version=8), Room.REPORT) == (Result.BUSY, ())


# ---- the machine


@pytest.mark.exhaustive(84)
@pytest.mark.parametrize("name", sorted(states()))
def test_nothing_opens_by_a_method_that_is_not_allowed_now(name: str) -> None:
    state = states()[name]
    for sender, msg in ((Room.KEEPER, verdict(b"p" * 16)), (Room.VAULT, verdict(FACE_NONCE))):
        for methods, may in ((NOTHING, False), (EVERYTHING, True)):
            rules = with_rules(methods=methods)
            _, effects = machine.step(state, Came(sender, msg), NOW, b"n" * 16, rules)
            released = any(isinstance(effect, Release) for effect in effects)
            assert may or not released, f"{name}: {sender} opened"


def test_the_matrix_above_notices_a_machine_that_does_not_ask() -> None:
    """The seeded fault: what the policy allows is not looked at. Some state then opens by a verdict."""
    opened = False
    for state in states().values():
        for sender, msg in ((Room.KEEPER, verdict(b"p" * 16)), (Room.VAULT, verdict(FACE_NONCE))):
            _, effects = machine.step(state, Came(sender, msg), NOW, b"n" * 16, with_rules(methods=EVERYTHING))
            opened = opened or any(isinstance(effect, Release) for effect in effects)
    assert opened


@pytest.mark.exhaustive(84)
@pytest.mark.parametrize("name", sorted(states()))
def test_no_camera_and_no_lamp_in_an_hour_in_which_no_face_opens(name: str) -> None:
    world = World(rules=with_rules(methods=PIN_AND_CARD), state=states()[name], now_ns=NOW)
    world.lamp = world.looking = world.state.window is not None
    world.send(FaceButton())
    assert world.state.window is None
    assert world.state.inquiry is None
    assert not world.looking
    assert not any(isinstance(each, Send) and isinstance(each.msg, wire.Look) for each in world.effects)
    assert not any(isinstance(each, Send) and isinstance(each.msg, wire.AskClaim) for each in world.effects)
    assert not world.lamp


def test_a_press_outside_the_hours_is_told_to_use_pin_or_card_and_the_pin_opens() -> None:
    world = connected(World(rules=with_rules(methods=PIN_AND_CARD)))
    assert world.send(FaceButton()) == (Show(Signal.USE_PIN_OR_CARD),)
    for key in "12#482913#":
        world.send(Key(key))
    assert world.state.check is not None
    world.send(Came(Room.KEEPER, wire.Verdict(world.state.check.nonce, world.now_ns, wire.Outcome.ACCEPTED, 12)))
    assert world.released


def test_the_way_out_and_the_alarms_do_not_know_of_any_policy() -> None:
    for rules in (with_rules(methods=NOTHING), with_rules(methods=EVERYTHING)):
        world = connected(World(rules=rules))
        world.send(ExitRequested())
        world.send(DoorMoved(open=True))
        assert not world.state.alarms
        world.send(DoorMoved(open=False))
        assert not world.state.alarms


def test_a_face_alone_is_worth_nothing_where_only_face_and_pin_is_allowed() -> None:
    """Even if the two settings of the machine disagree: the place from which the door opens asks for itself."""
    rules = with_rules(methods=PIN_AND_CARD | Method.FACE_WITH_PIN, face_alone_opens=True)
    for state in states().values():
        _, effects = machine.step(state, Came(Room.VAULT, verdict(FACE_NONCE)), NOW, b"n" * 16, rules)
        assert not any(isinstance(effect, Release) for effect in effects)


# ---- the whole of lock


def at(house: House, wall: float) -> House:
    house.work._policy.hours.wall = lambda: wall
    return house


@pytest.fixture
def home(house: House) -> House:
    """A door under DAYTIME at noon, with somebody enrolled."""
    at(house, NOON)
    desk = house.join(Room.DESK)
    desk.say(wire.Document(posted()))
    house.turn()
    assert desk.heard() == [wire.Ack(7, Result.DONE)], "keeper is not up, and a policy needs none"
    house.join(Room.EYE)
    house.join(Room.VAULT).say(wire.FaceReady(recognise=True, enrol=False, claim_first=False))
    house.turn()
    return house


def press(house: House) -> None:
    house.board.happens(FaceButton())
    house.turn()


def test_the_same_press_opens_a_window_by_day_and_none_by_night(home: House) -> None:
    press(home)
    assert home.board.lit
    home.passes(11)
    assert not home.board.lit
    at(home, NIGHT)
    press(home)
    assert not home.board.lit
    assert home.board.signals[-1] is Signal.USE_PIN_OR_CARD


def test_a_window_closes_with_the_minute_in_which_the_hour_ends(home: House, clock: Monotonic) -> None:
    wall = Wall(NOON + 8 * HOUR_S - 5)
    home.work._policy.hours.wall = wall
    press(home)
    assert home.board.lit
    due = home.work.deadline()
    assert due is not None
    assert due - clock.monotonic() == pytest.approx(5, abs=0.1), "lock wakes by itself when the hour ends"
    wall.passes(4)
    home.passes(4)
    assert home.board.lit
    wall.passes(1.1)
    home.passes(1.1)
    assert not home.board.lit
    assert home.work.state.window is None


def test_pin_is_refused_like_any_other_outside_the_hours_of_a_door_that_is_closed(home: House) -> None:
    keeper = home.join(Room.KEEPER)
    desk = home.join(Room.DESK)
    desk.say(wire.Document(posted(OFFICE, 8)))
    home.turn()
    for moment, opened in ((NOON, 1), (NIGHT, 1)):
        at(home, moment)
        home.keys("12#482913#")
        (question,) = keeper.heard()
        keeper.say(home.accepted(question))
        home.turn()
        assert home.board.bolt.releases == opened
        home.passes(5)
    assert home.board.signals[-1] is Signal.REFUSED


def test_a_policy_never_loosens_the_tier_of_door_toml(home: House) -> None:
    for alone in (True, False):
        home.work._narrowing.rules = replace(home.work._narrowing.rules, face_alone_opens=alone)
        at(home, NOON)
        assert home.work._rules_at(0).face_alone_opens is alone, "the policy says: the face alone"
    home.work._narrowing.rules = Rules(face_alone_opens=True)
    strict = DoorPolicy("UTC", (Schedule(PIN_AND_CARD | Method.FACE_WITH_PIN, ALWAYS),))
    desk = home.join(Room.DESK)
    desk.say(wire.Document(posted(strict, 8)))
    home.turn()
    assert home.work._rules_at(0).face_alone_opens is False, "a policy may be stricter"
    assert home.work._rules_at(0).methods & ANY_FACE


def test_a_day_of_other_hours_holds_at_the_door(home: House) -> None:
    holiday = OtherHours(date(2026, 11, 20), date(2026, 11, 20))
    closed = DoorPolicy("UTC", (Schedule(PIN_AND_CARD, ALWAYS), Schedule(Method.FACE, BY_DAY, (holiday,))))
    desk = home.join(Room.DESK)
    desk.say(wire.Document(posted(closed, 8)))
    home.turn()
    press(home)
    assert not home.board.lit
    at(home, NOON + 86_400)
    press(home)
    assert home.board.lit


def test_lock_asks_the_policy_that_stands_now_and_no_older_answer(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault: rules that were made once. The press by night then opens the camera."""
    once = home.work._rules_at(0)
    monkeypatch.setattr(loop.LockWork, "_rules_at", lambda _self, _now_ns: once)
    at(home, NIGHT)
    press(home)
    with pytest.raises(AssertionError):
        assert not home.board.lit
