"""Slots with hours of their own: what bars them, from when to when, and what a torn disk may and may not do."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device import document, wire
from device.document import FIRST_SLOT, LAST_SLOT
from device.edges import Room
from device.errors import StoreFault
from device.lock import durable, timetables
from device.lock.hours import Hours, Now
from device.lock.identity import DocumentKey
from device.lock.policy import Policy, VersionFile
from device.lock.state import Signal
from device.lock.timetables import PAGE_BYTES, Binding, TimetableFiles, nobody_knows
from device.policy.methods import EVERYTHING, PIN_AND_CARD, Method
from device.policy.schedule import EPOCH, DoorPolicy, Interval, OtherHours, Schedule, Timetable
from device.wire import NO_DAY, OfferKept, Result
from tests.unit.lock.house import DOCUMENT_KEY, DOOR, MANAGER, House, offer

KEY = bytes(MANAGER.verify_key)
BOX = DOCUMENT_KEY.kept
ALWAYS = ((Interval(0, 1440),),) * 7
NEVER = ((),) * 7
MORNING = ((Interval(480, 720),),) * 7
ALL = frozenset(range(FIRST_SLOT, LAST_SLOT + 1))
CLEANED = DoorPolicy("Europe/Berlin", (Schedule(PIN_AND_CARD, ALWAYS),), (Timetable(1, MORNING), Timetable(2, ALWAYS)))
# A Friday in Berlin: 09:00, 12:00, and a minute before.
NINE = int(datetime(2026, 11, 20, 8, tzinfo=UTC).timestamp())
NOON = NINE + 3 * 3600


@dataclass
class Wall:
    """The clock on the wall."""

    now: float = NINE

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def policy(tmp_path: Path, wall: Wall) -> Policy:
    return door(tmp_path, wall)


def door(folder: Path, wall: Wall) -> Policy:
    """The door as it starts on this disk."""
    policy = Policy(DOOR, KEY, DOCUMENT_KEY, VersionFile(folder / "policy-version"))
    policy.hours.wall = wall
    return policy


def posted(body: document.Body, version: int) -> bytes:
    signed = document.sign(body, door_id=DOOR, version=version, issued_unix=NINE - 86_400, key=MANAGER)
    return document.seal(signed, door_id=DOOR, document_key=DOCUMENT_KEY.public)


def sealed(version: int, *offers: wire.SlotOffer) -> bytes:
    return posted(document.SlotOffers(offers), version)


def put(policy: Policy, version: int = 1, hours: DoorPolicy = CLEANED) -> None:
    assert policy.received(posted(hours, version), Room.DESK) == (Result.DONE, ())


def begin(policy: Policy, version: int, *offers: wire.SlotOffer) -> None:
    assert policy.received(sealed(version, *offers), Room.DESK) == (Result.DONE, offers)


def give(policy: Policy, version: int, *offers: wire.SlotOffer) -> None:
    """A document with these offers, all kept by keeper."""
    begin(policy, version, *offers)
    for each in offers:
        policy.kept(OfferKept(each.slot, each.serial, Result.DONE))
    assert policy.version == version


# ---- who is barred


def test_a_slot_with_a_timetable_opens_in_its_hours_only_and_all_others_at_any_time(policy: Policy, wall: Wall) -> None:
    put(policy)
    give(policy, 2, offer(12, timetable=1), offer(13), offer(14, timetable=2))
    for wall.now, barred in ((NINE, set()), (NOON - 1, set()), (NOON, {12}), (NOON + 72_000 - 1, {12})):
        assert policy.hours.at(0).barred == barred
        assert policy.hours.at(0).allowed == PIN_AND_CARD, "methods are the door's, whoever comes"
    wall.now = NOON + 20 * 3600
    assert policy.hours.at(0).barred == set()


def test_a_timetable_that_the_policy_in_force_does_not_hold_opens_nothing(policy: Policy, wall: Wall) -> None:
    give(policy, 1, offer(12, timetable=1), offer(13))
    for wall.now in (NINE, NOON):
        assert policy.hours.at(0).barred == {12}, "no policy"
    put(policy, 2)
    wall.now = NOON + 21 * 3600
    assert policy.hours.at(0).barred == set()
    put(policy, 3, DoorPolicy("UTC", CLEANED.schedules, (Timetable(2, ALWAYS),)))
    assert policy.hours.at(0).barred == {12}, "another policy, without it"


def test_an_offer_of_hours_that_the_policy_lacks_is_told_without_a_slot(
    policy: Policy, capsys: pytest.CaptureFixture[str]
) -> None:
    put(policy)
    give(policy, 2, offer(1234, timetable=1))
    assert "timetable" not in capsys.readouterr().err
    give(policy, 3, offer(1234, 2, timetable=9))
    said = capsys.readouterr().err
    assert "a timetable that this door's policy does not hold" in said
    assert "1234" not in said


def test_while_the_clock_is_not_believed_residents_come_in_and_scheduled_guests_wait(
    policy: Policy, wall: Wall, tmp_path: Path
) -> None:
    put(policy)
    give(policy, 2, offer(12, timetable=2), offer(13))
    wall.now = 1000.0
    assert policy.hours.at(0).barred == {12}
    assert policy.hours.at(0).allowed == PIN_AND_CARD
    assert door(tmp_path, wall).hours.at(0).barred == {12}
    assert policy.hours.at(0).day == NO_DAY


def test_hours_that_have_ended_are_not_opened_again_by_a_clock_that_goes_back(policy: Policy, wall: Wall) -> None:
    put(policy)
    give(policy, 2, offer(12, timetable=1))
    for wall.now, barred in ((NOON - 1, set()), (NOON, {12}), (NINE, {12})):
        assert policy.hours.at(0).barred == barred


def test_a_policy_that_cannot_be_believed_any_more_bars_every_slot_with_a_timetable(
    policy: Policy, wall: Wall, tmp_path: Path
) -> None:
    put(policy)
    give(policy, 2, offer(12, timetable=2), offer(13))
    (tmp_path / "policy").write_bytes(b"?")
    again = door(tmp_path, wall)
    assert again.hours.at(0).barred == {12}
    assert again.hours.at(0).allowed == PIN_AND_CARD


def test_without_timetables_nobody_is_barred_and_no_file_is_kept(policy: Policy, tmp_path: Path) -> None:
    put(policy)
    give(policy, 2, offer(12), offer(13))
    assert policy.hours.at(0).barred == set()
    assert not list(tmp_path.glob("timetables*"))


def test_other_days_of_a_timetable_and_both_ends_of_summer_time(policy: Policy, wall: Wall) -> None:
    closed = (OtherHours(date(2028, 2, 29), date(2028, 2, 29)),)
    nights = Timetable(1, ((Interval(120, 180),),) * 7, closed)
    put(policy, 1, DoorPolicy("Europe/Berlin", CLEANED.schedules, (nights,)))
    give(policy, 2, offer(12, timetable=1))
    for day, hours, minutes in (
        (datetime(2027, 3, 27, 23, tzinfo=UTC), 23, 0),
        (datetime(2027, 10, 30, 22, tzinfo=UTC), 25, 120),
        (datetime(2028, 2, 27, 23, tzinfo=UTC), 24, 60),
        (datetime(2028, 2, 28, 23, tzinfo=UTC), 24, 0),
    ):
        start, let_in = day.timestamp(), 0
        for minute in range(hours * 60):
            wall.now = start + 60 * minute
            let_in += policy.hours.at(0).barred == set()
        assert let_in == minutes, day


def test_the_answer_changes_with_the_minute_the_policy_and_the_offers_and_is_found_once(
    policy: Policy, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(policy)
    give(policy, 2, offer(12, timetable=1))
    asked: list[int | None] = []
    real = Hours._found

    def counted(self: Hours, now_unix: int | None) -> Now:
        asked.append(now_unix)
        return real(self, now_unix)

    monkeypatch.setattr(Hours, "_found", counted)
    for wall.now in (NINE, NINE + 0.5, NINE + 59):
        policy.hours.at(0)
    assert len(asked) == 1
    give(policy, 3, offer(13, timetable=9))
    assert policy.hours.at(0).barred == {13}
    put(policy, 4, DoorPolicy("UTC", CLEANED.schedules, (Timetable(1, NEVER), Timetable(9, ALWAYS))))
    assert policy.hours.at(0).barred == {12}


# ---- the date at the door


@pytest.mark.parametrize(
    ("zone", "text", "day"),
    [
        ("Europe/Berlin", "2026-11-20T22:59", "2026-11-20"),
        ("Europe/Berlin", "2026-11-20T23:00", "2026-11-21"),
        ("America/Sao_Paulo", "2026-11-21T02:59", "2026-11-20"),
        ("Asia/Kathmandu", "2028-02-28T18:15", "2028-02-29"),
        ("Asia/Kathmandu", "2028-02-29T18:15", "2028-03-01"),
    ],
)
def test_the_day_is_that_of_a_calendar_at_the_door(policy: Policy, wall: Wall, zone: str, text: str, day: str) -> None:
    put(policy, 1, DoorPolicy(zone, CLEANED.schedules))
    wall.now = datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    assert policy.hours.at(0).day == date.fromisoformat(day).toordinal() - EPOCH


def test_without_a_policy_the_day_is_that_of_utc(policy: Policy, wall: Wall) -> None:
    for hour, minute, second in ((0, 0, 0), (23, 59, 59)):
        wall.now = datetime(2026, 11, 20, hour, minute, second, tzinfo=UTC).timestamp()
        assert policy.hours.at(0).day == (date(2026, 11, 20) - date(1970, 1, 1)).days
    for wall.now in (0.0, 2.0**62):
        assert policy.hours.at(0).day == NO_DAY


def test_a_day_that_is_over_does_not_come_again(policy: Policy, wall: Wall) -> None:
    today = policy.hours.at(0).day
    wall.now += 86_400
    assert policy.hours.at(0).day == today + 1
    wall.now -= 86_400
    assert policy.hours.at(0).day == NO_DAY


# ---- from when to when


def test_a_restriction_is_on_disk_before_keeper_is_asked(policy: Policy, wall: Wall, tmp_path: Path) -> None:
    begin(policy, 1, offer(12, timetable=1))
    assert policy.version == 0
    assert door(tmp_path, wall).hours.at(0).barred == {12}


def test_a_restriction_stays_until_keeper_holds_the_offer_that_lifts_it(
    policy: Policy, wall: Wall, tmp_path: Path
) -> None:
    put(policy)
    give(policy, 2, offer(12, 1, timetable=1))
    wall.now = NOON
    begin(policy, 3, offer(12, 2))
    assert policy.hours.at(0).barred == {12}, "keeper may still hold the old one"
    policy.abandon()
    for each in (policy, door(tmp_path, wall)):
        assert each.hours.at(0).barred == {12}
    give(policy, 3, offer(12, 2))
    for each in (policy, door(tmp_path, wall)):
        assert each.hours.at(0).barred == set()
    assert not list(tmp_path.glob("timetables*"))


def test_a_door_that_lifts_a_restriction_at_once_would_be_caught(
    policy: Policy, wall: Wall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded fault behind the test above: the newest offer's word counts, whatever keeper holds."""
    monkeypatch.setattr(timetables, "offered", timetables.kept)
    with pytest.raises(AssertionError):
        test_a_restriction_stays_until_keeper_holds_the_offer_that_lifts_it(policy, wall, tmp_path)


def test_a_door_that_bars_only_once_keeper_holds_it_would_be_caught(
    policy: Policy, wall: Wall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded fault behind the test before that."""
    monkeypatch.setattr(Hours, "offered", lambda _self, _offers: None)
    with pytest.raises(AssertionError):
        test_a_restriction_is_on_disk_before_keeper_is_asked(policy, wall, tmp_path)


def test_an_older_offer_that_keeper_left_behind_lifts_nothing_of_a_newer_one(policy: Policy, wall: Wall) -> None:
    """Version 3 got half-way: keeper holds its offer. Version 2 comes late, and keeper calls its offer stale."""
    put(policy)
    wall.now = NOON
    begin(policy, 3, offer(12, 5, timetable=1))
    policy.abandon()
    begin(policy, 2, offer(12, 4))
    policy.kept(OfferKept(12, 4, Result.STALE))
    assert policy.version == 2
    assert policy.hours.at(0).barred == {12}


triples = st.frozensets(st.builds(Binding, st.integers(1, 3), st.integers(1, 4), st.integers(1, 3)), max_size=5)
numbers = st.frozensets(st.integers(1, 3))


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(1, 2), st.integers(0, 2), st.sampled_from(["kept", "lost", "cut"])), max_size=8))
@settings(max_examples=60, deadline=None)
def test_whatever_keeper_may_hold_opens_in_its_own_hours_only(story: list[tuple[int, int, str]]) -> None:
    """Documents that end well, or get lost after keeper kept them, or before: keeper's own timetable is among ours."""
    with tempfile.TemporaryDirectory() as folder:
        policy, holds, wall = door(Path(folder), Wall()), dict[int, int](), Wall()
        for version, (slot, number, ends) in enumerate(story, start=1):
            begin(policy, version, offer(slot, version, timetable=number))
            if ends != "cut":
                holds[slot] = number
            if ends == "kept":
                policy.kept(OfferKept(slot, version, Result.DONE))
            else:
                policy = door(Path(folder), wall)
            ours = policy.hours._slots.bindings
            for each, own in holds.items():
                named = {found.timetable for found in ours if found.slot == each}
                assert own in named or own == 0
                assert ends != "kept" or each != slot or named == {own} - {0}, "and once it is kept no other"


@given(triples, numbers, numbers)
def test_barred_are_those_of_whose_timetables_one_does_not_hold(
    found: timetables.Bindings, holding: frozenset[int], known: frozenset[int]
) -> None:
    expected = {slot for slot in (1, 2, 3) if any(b.slot == slot and b.timetable not in holding for b in found)}
    assert timetables.barred(found, holding & known, known | holding) >= expected
    assert timetables.barred(found, holding, known) == expected


# ---- the disk

KNOWN = frozenset({Binding(12, 1, 3), Binding(700, 9, 255)})


def files(folder: Path, box: DocumentKey = DOCUMENT_KEY) -> TimetableFiles:
    return TimetableFiles(folder, box.kept)


def torn(whole: bytes) -> list[bytes]:
    flipped = [whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :] for at in (0, 23, 24, 40, len(whole) - 1)]
    return [b"", whole[:-1], bytes(len(whole)), whole + b"\0", *flipped]


def test_what_is_kept_comes_back_and_names_no_slot_on_disk(tmp_path: Path) -> None:
    files(tmp_path).keep(KNOWN)
    assert files(tmp_path).bindings == KNOWN
    for path in files(tmp_path).paths:
        content = path.read_bytes()
        assert len(content) == PAGE_BYTES + 40, "the length says nothing"
        assert not any(slot.to_bytes(4, "little") + serial in content for slot, serial in ((12, b"\1"), (700, b"\x09")))
    assert files(tmp_path, DocumentKey.of(bytes(32))).bindings == nobody_knows(), "with another key it is nobody's"


def test_one_torn_copy_costs_nothing_and_is_mended(tmp_path: Path) -> None:
    files(tmp_path).keep(KNOWN)
    for path in files(tmp_path).paths:
        for bad in torn(path.read_bytes()):
            path.write_bytes(bad)
            assert files(tmp_path).bindings == KNOWN
            assert files(tmp_path).bindings == KNOWN, "mended at the first start"
            path.unlink()
            assert files(tmp_path).bindings == KNOWN


def test_a_single_copy_would_be_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault behind the test above."""
    monkeypatch.setattr(TimetableFiles, "paths", property(lambda self: (self.folder / "a", self.folder / "a")))
    with pytest.raises(AssertionError):
        test_one_torn_copy_costs_nothing_and_is_mended(tmp_path)


@pytest.mark.slow
def test_both_torn_open_nothing_outside_anybody_s_hours_and_lock_out_nobody_within_them(
    policy: Policy, wall: Wall, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(policy)
    give(policy, 2, offer(12, timetable=1), offer(13))
    for path in policy.hours._slots.paths:
        path.write_bytes(b"torn")
    again = door(tmp_path, wall)
    assert "which slots have a timetable cannot be read" in capsys.readouterr().err
    for wall.now, barred in ((NINE, frozenset()), (NOON, ALL)):
        assert again.hours.at(0).barred == barred
    give(again, 3, offer(13, 2))
    assert again.hours.at(0).barred == ALL - {13}, "a new offer frees its slot"
    assert door(tmp_path, wall).hours.at(0).barred == ALL - {13}
    wall.now = 1000.0
    assert again.hours.at(0).barred == ALL - {13}


def test_both_torn_without_any_timetable_in_force_open_nothing(policy: Policy, wall: Wall, tmp_path: Path) -> None:
    give(policy, 1, offer(12, timetable=1))
    for path in policy.hours._slots.paths:
        path.write_bytes(b"torn")
    assert door(tmp_path, wall).hours.at(0).barred == ALL


def test_a_torn_table_that_bars_nobody_would_be_caught(
    policy: Policy, wall: Wall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded fault behind the tests above: what cannot be read is taken for none."""
    monkeypatch.setattr(timetables, "nobody_knows", frozenset[Binding])
    with pytest.raises(AssertionError):
        test_both_torn_without_any_timetable_in_force_open_nothing(policy, wall, tmp_path)


@pytest.mark.parametrize("failing", [0, 1, 2, 3])
def test_a_disk_that_does_not_take_it_refuses_the_document_and_stays_as_strict(
    policy: Policy, wall: Wall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    """At each of the four writes of a document that changes a slot's timetable from 1 to 3."""
    put(policy)
    give(policy, 2, offer(12, 1, timetable=1))
    writes = 0
    real = durable.store

    def store(path: Path, content: bytes, what: str) -> None:
        nonlocal writes
        if what == "the slots' timetables":
            writes += 1
            if writes == failing + 1:
                msg = f"{what} cannot be stored: No space left on device"
                raise StoreFault(msg)
        real(path, content, what)

    monkeypatch.setattr(durable, "store", store)
    changed = offer(12, 2, timetable=3)
    result, offers = policy.received(sealed(3, changed), Room.DESK)
    if failing < 2:
        assert (result, offers, policy.applying) == (Result.FAULT, (), None), "keeper never hears of it"
    else:
        assert policy.kept(OfferKept(12, 2, Result.DONE)) == (Room.DESK, wire.Ack(2, Result.FAULT))
    for each in (policy, door(tmp_path, wall)):
        # Before keeper was asked it holds timetable 1; after, 3. Each copy bars by what it holds, at least.
        held = {found.timetable for found in each.hours._slots.bindings if found.slot == 12}
        assert held >= ({1} if failing < 2 else {3})
    give(policy, 3, changed)
    assert door(tmp_path, wall).hours._slots.bindings == {Binding(12, 2, 3)}


def test_what_opens_without_a_policy_is_still_barred_by_slot(policy: Policy) -> None:
    give(policy, 1, offer(12, timetable=1))
    assert policy.hours.at(0).allowed == EVERYTHING & ~Method.FACE
    assert policy.hours.at(0).barred == {12}


# ---- the whole of lock


def typed(house: House, slot: int) -> int:
    """Somebody types `slot` and a PIN that keeper accepts; how often the strike let go because of it."""
    keeper, before = house.join(Room.KEEPER), house.board.bolt.releases
    house.keys(f"{slot}#482913#")
    (question,) = keeper.heard()
    keeper.say(house.accepted(question, slot))
    house.turn()
    house.passes(5)
    return house.board.bolt.releases - before


def cleaned(house: House, wall: Wall) -> House:
    """That door under CLEANED, where 12 has timetable 1 and 13 none."""
    house.work._policy.hours.wall = wall
    put(house.work._policy)
    give(house.work._policy, 2, offer(12, timetable=1), offer(13))
    return house


def test_an_accepted_pin_of_a_slot_opens_in_its_hours_only_and_others_do_at_any_time(house: House, wall: Wall) -> None:
    cleaned(house, wall)
    for wall.now, own in ((NINE, 1), (NOON, 0)):
        assert (typed(house, 12), typed(house, 13)) == (own, 1)
    assert house.board.signals.count(Signal.REFUSED) == 1, "refused like everybody else"


def test_a_lock_that_does_not_ask_whose_hours_it_is_would_be_caught(
    house: House, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded fault behind the test above."""
    real = Hours.at
    monkeypatch.setattr(Hours, "at", lambda self, now_ns: replace(real(self, now_ns), barred=frozenset()))
    with pytest.raises(AssertionError):
        test_an_accepted_pin_of_a_slot_opens_in_its_hours_only_and_others_do_at_any_time(house, wall)


def test_keeper_hears_the_date_at_the_door_with_every_pin(house: House, wall: Wall) -> None:
    cleaned(house, wall)
    keeper = house.join(Room.KEEPER)
    house.keys("12#482913#")
    (question,) = keeper.heard()
    assert isinstance(question, wire.CheckPin)
    assert question.day == date(2026, 11, 20).toordinal() - EPOCH
