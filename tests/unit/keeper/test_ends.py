"""A tenancy that is over opens nothing, whatever the clock did; a clock that was wrong costs nobody their PIN."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device import wire
from device.edges import Room
from device.keeper import tenancies as tenancies_module
from device.keeper.attempts import PAGE_BYTES
from device.keeper.book import Book
from device.keeper.ends import GRACE_S, LOOK_S, Ends, Moment
from device.keeper.match import Shown
from device.keeper.record import Credential, Kind
from device.keeper.tenancies import NEWS_AT_ONCE, SOON_S
from device.keeper.throttle import Counts
from device.wire import NO_END, NO_TENANCY, Outcome, Proof, Purpose, Result
from tests.unit.keeper.bench import DAY, INVITATION, NOON, PIN, Door
from tests.unit.keeper.test_offers import FailingRecords

END = NOON + 30 * 86400
WRONG = "905217"
OTHER = "118402957336"


@pytest.fixture
def lease(door: Door) -> Door:
    """A door with one resident, slot 12, until END."""
    door.move_in(ends=END)
    door.vault_asks(12)
    return door


def held(door: Door, slot: int = 12) -> Credential:
    found = door.guard.book.held(slot)
    assert found
    return found


def set_clock(door: Door, unix_s: float) -> None:
    """Somebody or something sets the wall clock; nothing wakes up for it."""
    door.unix_s = unix_s


def opens_anything(door: Door, pin: str = PIN, invitation: str = INVITATION) -> list[str]:
    """What a person with the old PIN and the old invitation still gets at slot 12."""
    door.wait(GRACE_S / 2)  # whatever was mistyped before
    found = []
    if door.type_in(pin):
        found.append("the door opens")
    if door.prove(pin, Purpose.ENROL):
        found.append("a grant")
    if door.set_pin(pin, "271828", proof=Proof.PIN):
        found.append("the PIN is changed")
    if door.set_pin(invitation, "271828"):
        found.append("the invitation is redeemed")
    found += [type(msg).__name__ for msg in door.house.to(Room.VAULT) if isinstance(msg, wire.Grant)]
    return found


# ---- the end itself


def test_a_pin_opens_until_the_last_second_of_its_tenancy_and_not_in_the_next(lease: Door) -> None:
    set_clock(lease, END - 1)
    assert lease.type_in(PIN)
    set_clock(lease, END)
    assert not lease.type_in(PIN)


def test_what_has_ended_opens_grants_redeems_and_sets_nothing(lease: Door) -> None:
    set_clock(lease, END)
    assert opens_anything(lease) == []
    lease.live(2 * GRACE_S)
    assert held(lease).kind is Kind.ENDED
    assert opens_anything(lease) == []
    lease.boot()
    assert opens_anything(lease) == []


def test_an_invitation_to_a_place_that_has_ended_is_not_redeemed(door: Door) -> None:
    door.invite(expires=END + 86400, ends=END)
    set_clock(door, END - 1)
    before = door.stretched
    set_clock(door, END)
    assert opens_anything(door) == []
    assert door.stretched - before == 6, "as much work as for any other"
    door.live(2 * GRACE_S)
    assert held(door).kind is Kind.ENDED
    set_clock(door, NOON)
    assert opens_anything(door) == []


def test_a_place_without_an_end_does_not_end(home: Door) -> None:
    for unix_s in (0.0, NOON, 10.0**11):
        set_clock(home, unix_s)
        assert home.type_in(PIN)
        home.keeper.tick()
        assert home.keeper.deadline() is None


def test_a_changed_pin_keeps_the_end(lease: Door) -> None:
    assert lease.set_pin(PIN, "271828", proof=Proof.PIN)
    assert lease.vault_asks(12) == [wire.CredentialAnswer(12, lease.tenancy(), END)]
    set_clock(lease, END)
    assert not lease.type_in("271828")


def test_the_end_in_the_middle_of_a_check_refuses(lease: Door) -> None:
    set_clock(lease, END - 0.5)
    lease.say(wire.CheckPin(lease.nonce(), 12, PIN, DAY))
    lease.wait(1)
    lease.worker.run()
    (verdict,) = lease.house.to(Room.LOCK)
    assert isinstance(verdict, wire.Verdict)
    assert verdict.outcome is Outcome.REFUSED


class NeverOver(Ends):
    """The seeded fault: the end stands in the record and nobody reads it."""

    def over(self, held: Credential, at: Moment) -> bool:
        return held.kind is Kind.ENDED


def test_the_seeded_end_that_nobody_reads_is_seen(lease: Door) -> None:
    lease.run_on(dataclasses.replace(lease.guard, ends=NeverOver()))
    set_clock(lease, END)
    assert opens_anything(lease) == ["the door opens", "a grant", "the PIN is changed", "Grant"]


def works_at_each_check(lease: Door, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[bool, int, int]]:
    """What a refused PIN costs, by why it is refused: the answer, stretchings, and pages written."""
    pages: list[int] = []
    save = lease.guard.file.save

    def counted(counts: Counts) -> None:
        pages.append(PAGE_BYTES)
        save(counts)

    monkeypatch.setattr(lease.guard.file, "save", counted)

    def cost(digits: str, slot: int) -> tuple[bool, int, int]:
        before = lease.stretched
        pages.clear()
        return lease.type_in(digits, slot), lease.stretched - before, sum(pages)

    found = {"wrong": cost(WRONG, 12), "nobody ever had it": cost(PIN, 99)}
    set_clock(lease, END)
    found |= {"over": cost(PIN, 12), "over and wrong": cost(WRONG, 12)}
    lease.live(2 * GRACE_S)
    assert held(lease).kind is Kind.ENDED
    return found | {"destroyed": cost(PIN, 12), "destroyed and wrong": cost(WRONG, 12)}


def test_a_tenancy_that_is_over_is_refused_by_the_same_work_as_any(
    lease: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = works_at_each_check(lease, monkeypatch)
    assert set(found.values()) == {(False, 1, 2 * PAGE_BYTES)}, found


def test_the_seeded_short_cut_for_what_is_over_is_seen(lease: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    submit = lease.keeper._submit

    def short_cut(shown: Shown, ended: object, used: Callable[[], None]) -> None:
        assert callable(ended)
        known = lease.guard.book.held(shown.claim)
        if known and lease.guard.ends.over(known, lease.guard.clock.read()):
            ended(None)
        else:
            submit(shown, ended, used)

    monkeypatch.setattr(lease.keeper, "_submit", short_cut)
    assert len(set(works_at_each_check(lease, monkeypatch).values())) > 1


def test_junk_at_a_place_that_has_ended_spends_nobody_s_guesses(lease: Door) -> None:
    set_clock(lease, END)
    for _ in range(50):
        assert not lease.type_in(WRONG)
    assert lease.guard.throttle.counts().door == 0


# ---- what vault hears


@pytest.mark.slow
def test_vault_hears_of_the_end_once_and_as_soon_as_it_comes(lease: Door) -> None:
    assert lease.vault_asks(12) == [wire.CredentialAnswer(12, lease.tenancy(), END)]
    lease.live(30 * 86400 - 1)
    assert lease.house.to(Room.VAULT) == []
    lease.live(1.1)
    assert lease.house.to(Room.VAULT) == [wire.LastCredentialGone(12)]
    lease.live(3 * GRACE_S)
    assert lease.house.to(Room.VAULT) == []


@pytest.mark.slow
def test_vault_hears_nothing_of_an_end_it_never_asked_about(door: Door) -> None:
    door.move_in(ends=END)
    door.live(31 * 86400)
    assert held(door).kind is Kind.ENDED
    assert door.house.to(Room.VAULT) == []


def test_an_answer_is_right_at_any_moment_without_a_look(lease: Door) -> None:
    tenancy = lease.tenancy()
    assert lease.vault_asks(12) == [wire.CredentialAnswer(12, tenancy, END)]
    set_clock(lease, END)
    assert lease.vault_asks(12) == [wire.CredentialAnswer(12, NO_TENANCY, NO_END)]
    lease.keeper.tick()
    assert lease.house.to(Room.VAULT) == [], "what it just heard is no news"
    set_clock(lease, END - 100)
    assert lease.vault_asks(12) == [wire.CredentialAnswer(12, tenancy, END)]


def test_an_answer_is_right_after_a_start_when_the_end_passed_while_the_door_was_off(lease: Door) -> None:
    lease.guard.file.close()
    lease.wait(31 * 86400)
    lease.boot()
    assert lease.vault_asks(12) == [wire.CredentialAnswer(12, NO_TENANCY, NO_END)]
    assert not lease.type_in(PIN)
    lease.live(GRACE_S + LOOK_S)
    assert held(lease).kind is Kind.ENDED
    lease.boot()
    assert lease.vault_asks(12) == [wire.CredentialAnswer(12, NO_TENANCY, NO_END)]


def test_a_clock_set_right_gives_vault_the_tenancy_back(lease: Door) -> None:
    set_clock(lease, END + 1)
    lease.live(LOOK_S + 1)
    assert lease.house.to(Room.VAULT) == [wire.LastCredentialGone(12)]
    set_clock(lease, NOON + 100)
    lease.live(LOOK_S + 1)
    assert lease.house.to(Room.VAULT) == [wire.CredentialAnswer(12, lease.tenancy(), END)]
    assert lease.type_in(PIN)


# ---- the clock is wrong


def wrong_clocks(lease: Door, jumps: int = 5) -> bool:
    """Whether the PIN survives a clock that jumps ahead again and again and is each time set right within the grace."""
    for _ in range(jumps):
        true = lease.unix_s
        set_clock(lease, END + 1000)
        assert not lease.type_in(PIN)
        lease.live(GRACE_S * 0.6)
        assert not lease.type_in(PIN)
        set_clock(lease, true + GRACE_S * 0.6)
        lease.live(LOOK_S + 1)
    return lease.type_in(PIN)


def test_a_clock_that_jumped_ahead_and_was_set_right_costs_nobody_their_pin(lease: Door) -> None:
    assert wrong_clocks(lease)


class AtOnce(Ends):
    """The seeded fault: destroyed as soon as the clock says so."""

    def ripe(self, held: Credential, at: Moment) -> bool:
        return held.kind is not Kind.ENDED and self.over(held, at)


class NeverBegunAnew(Ends):
    """The seeded fault: hours of different jumps are added up."""

    def over(self, held: Credential, at: Moment) -> bool:
        since = dict(self._over_since_s)
        found = super().over(held, at)
        self._over_since_s = {**self._over_since_s, **since}
        return found


@pytest.mark.parametrize("fault", [AtOnce, NeverBegunAnew])
def test_each_seeded_hasty_destruction_is_seen(lease: Door, fault: type[Ends]) -> None:
    lease.run_on(dataclasses.replace(lease.guard, ends=fault()))
    assert not wrong_clocks(lease)


def test_a_clock_from_before_the_offer_brings_nothing_back(lease: Door) -> None:
    set_clock(lease, END)
    assert not lease.type_in(PIN)
    for unix_s in (NOON - 86400, 0.0, NOON - 10**6):
        set_clock(lease, unix_s)
        lease.live(2 * GRACE_S)
        set_clock(lease, unix_s)
        assert opens_anything(lease) == []
        assert lease.vault_asks(12) == [wire.CredentialAnswer(12, NO_TENANCY, NO_END)]
    assert held(lease).kind is Kind.PIN, "such a clock destroys nothing either"
    set_clock(lease, NOON + 100)
    assert lease.type_in(PIN)


@pytest.mark.slow
def test_what_was_destroyed_stays_so_whatever_the_clock_says(lease: Door) -> None:
    set_clock(lease, END)
    lease.live(GRACE_S + LOOK_S)
    for unix_s in (0.0, NOON, NOON + 100, END - 1, END + 10**6):
        set_clock(lease, unix_s)
        assert opens_anything(lease) == []
        lease.boot()
        assert opens_anything(lease) == []


def test_a_clock_from_before_the_offer_keeps_nobody_out_who_has_not_moved_out(lease: Door) -> None:
    set_clock(lease, 0.0)
    assert lease.type_in(PIN)
    lease.boot()
    assert lease.type_in(PIN)
    assert lease.vault_asks(12) == [wire.CredentialAnswer(12, lease.tenancy(), END)]


def test_the_grace_is_measured_anew_after_a_restart(lease: Door) -> None:
    set_clock(lease, END)
    for _ in range(3):
        lease.live(GRACE_S * 0.9)
        lease.boot()
    assert held(lease).kind is Kind.PIN
    assert not lease.type_in(PIN)


def test_no_grace_destroys_at_the_next_look(lease: Door) -> None:
    lease.run_on(dataclasses.replace(lease.guard, ends=Ends(0.0)))
    set_clock(lease, END)
    lease.keeper.tick()
    assert held(lease).kind is Kind.ENDED


clocks = st.lists(
    st.tuples(st.sampled_from([0, NOON - 5, NOON, NOON + 10, END - 1, END, END + 7]), st.integers(0, 5000))
)


@pytest.mark.slow
@given(clocks)
@settings(deadline=None, max_examples=200)
def test_destroyed_is_exactly_what_was_over_at_every_look_of_one_grace(readings: list[tuple[int, int]]) -> None:
    credential = Credential(Kind.PIN, 1, b"o" * 16, NOON, NOON + 86400, END, bytes(16), bytes(32))
    ends, now_s, since_s, was_over = Ends(), 0, None, False
    for unix, wait_s in readings:
        now_s += wait_s
        # The oracle, written from the rules: three kinds of clock.
        if unix >= END:
            since_s, was_over = (now_s if since_s is None else since_s), True
        elif unix < NOON:
            since_s = None
        else:
            since_s, was_over = None, False
        at = Moment(float(now_s), float(unix))
        assert ends.over(credential, at) is was_over
        assert ends.ripe(credential, at) is (since_s is not None and now_s - since_s >= GRACE_S)


# ---- the record


def test_the_old_offer_can_neither_be_kept_nor_redeemed_again(lease: Door) -> None:
    offer = lease.offer(ends=END)
    set_clock(lease, END)
    lease.live(GRACE_S + LOOK_S)
    spent = held(lease)
    for unix_s in (END + 10**5, NOON + 100):
        set_clock(lease, unix_s)
        assert lease.ask(offer) == wire.OfferKept(12, 1, Result.DONE)
        assert held(lease) == spent
        assert lease.invite(serial=1, digits=OTHER) is Result.STALE
        assert opens_anything(lease) == []


def test_a_newer_offer_begins_anew(lease: Door) -> None:
    set_clock(lease, END)
    lease.live(GRACE_S + LOOK_S)
    lease.house.to(Room.VAULT)
    assert lease.invite(serial=2, digits=OTHER, expires=END + 10**6, ends=END + 10**7) is Result.DONE
    assert lease.set_pin(OTHER, "271828")
    assert lease.house.to(Room.VAULT) == [
        wire.PlaceEnded(12),
        wire.CredentialAnswer(12, lease.tenancy(), END + 10**7),
    ]
    assert lease.type_in("271828")
    assert not lease.type_in(PIN)


def test_a_newer_offer_in_the_grace_is_not_destroyed_with_the_old_one(lease: Door) -> None:
    set_clock(lease, END)
    lease.live(GRACE_S - 10)
    lease.invite(serial=2, digits=OTHER, expires=END + 10**6)
    assert lease.set_pin(OTHER, "271828")
    lease.live(3 * GRACE_S)
    assert lease.type_in("271828")


def test_nothing_that_matched_digits_is_left_in_the_record(lease: Door) -> None:
    before = held(lease)
    set_clock(lease, END)
    lease.live(GRACE_S + LOOK_S)
    spent = held(lease)
    assert (spent.serial, spent.offer_id) == (before.serial, before.offer_id)
    assert (spent.salt, spent.verifier) == (bytes(16), bytes(32))
    assert before.verifier not in b"".join(lease.guard.book._store.records().values())


def test_a_place_that_has_ended_looks_on_the_disk_like_any(lease: Door) -> None:
    sizes = {path.stat().st_size for path in lease.state.rglob("*.rec")}
    set_clock(lease, END)
    lease.live(GRACE_S + LOOK_S)
    assert {path.stat().st_size for path in lease.state.rglob("*.rec")} == sizes


# ---- looking


def test_what_was_seen_of_offers_that_are_gone_is_forgotten(lease: Door) -> None:
    for serial in range(2, 6):
        set_clock(lease, END)
        lease.invite(serial=serial, digits=OTHER, expires=END + 10**6, ends=END)
        lease.keeper.tick()
    assert set(lease.guard.ends._over_since_s) == {lease.tenancy()}


def test_keeper_looks_rarely_and_not_at_all_once_everything_has_ended(lease: Door) -> None:
    assert lease.live(600) <= 12
    set_clock(lease, END)
    lease.live(GRACE_S + LOOK_S)
    lease.live(2 * LOOK_S)
    assert lease.keeper.deadline() is None
    assert lease.live(86400) == 0


@pytest.mark.slow
def test_an_end_that_comes_later_is_looked_for_although_keeper_had_nothing_to_look_for(door: Door) -> None:
    assert door.live(3600) == 1
    assert door.keeper.deadline() is None
    door.move_in(ends=END)
    door.vault_asks(12)
    door.live(END - door.unix_s + 1)
    assert door.house.to(Room.VAULT) == [wire.LastCredentialGone(12)]


def test_a_clock_that_stands_still_before_an_end_does_not_keep_keeper_busy(lease: Door) -> None:
    set_clock(lease, END - 1e-6)
    for _ in range(5):
        lease.keeper.tick()
        due_s = lease.keeper.deadline()
        assert due_s is not None
        assert due_s - lease.now_ns / 1e9 >= SOON_S - 1e-6
        lease.now_ns += round(SOON_S * 1e9)


def test_a_full_disk_is_tried_again_and_said_once(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    store = FailingRecords(makes_it=False)
    door.run_on(dataclasses.replace(door.guard, book=Book(store)))
    door.move_in(ends=END)
    set_clock(door, END)
    store.fails = True
    assert door.live(GRACE_S * 2) < 2 * GRACE_S / LOOK_S + 10
    assert opens_anything(door) == []
    assert held(door).kind is Kind.PIN
    assert len(capsys.readouterr().err.splitlines()) == 1
    store.fails = False
    door.live(LOOK_S + 1)
    assert held(door).kind is Kind.ENDED


def longest_look(door: Door, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Records written and messages sent in the busiest look, when a house of 80 moves out on one day."""
    for slot in range(1, 81):
        door.move_in(slot, ends=END)
    door.vault_asks(*range(1, 81))
    written: list[int] = []
    keep = door.guard.book.keep

    def counted(slot: int, fresh: Credential) -> None:
        written.append(slot)
        keep(slot, fresh)

    monkeypatch.setattr(door.guard.book, "keep", counted)
    set_clock(door, END)
    most = (0, 0)
    for _ in range(200):
        written.clear()
        door.keeper.tick()
        most = max(most[0], len(written)), max(most[1], len(door.house.to(Room.VAULT)))
        if len(door.guard.book.slots()) == sum(
            each.kind is Kind.ENDED for each in door.guard.book.everything().values()
        ):
            return most
        due_s = door.keeper.deadline()
        assert due_s is not None
        door.wait(max(SOON_S, due_s - door.now_ns / 1e9))
    pytest.fail("it never ends")


@pytest.mark.slow
def test_a_house_that_moves_out_on_one_day_keeps_nobody_waiting(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    assert longest_look(door, monkeypatch) == (1, NEWS_AT_ONCE)


@pytest.mark.slow
def test_a_look_that_does_everything_at_once_is_seen(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenancies_module, "NEWS_AT_ONCE", 10**6)
    assert longest_look(door, monkeypatch)[1] == 80


def test_the_door_s_own_grace_is_used(tmp_path: Path) -> None:
    door = Door(tmp_path / "keeper", grace_s=120.0)
    door.move_in(ends=END)
    set_clock(door, END)
    door.live(119)
    assert held(door).kind is Kind.PIN
    door.live(LOOK_S + 2)
    assert held(door).kind is Kind.ENDED
    door.guard.file.close()
