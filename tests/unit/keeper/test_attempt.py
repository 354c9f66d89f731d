"""Charged first, the same work for everybody, and nothing on the disk that helps to guess."""

from __future__ import annotations

from pathlib import Path

import pytest

from device import wire
from device.edges import Room
from device.errors import Fault, StoreFault
from device.keeper import attempt as attempt_module
from device.keeper.attempts import PAGE_BYTES, AttemptFile
from device.keeper.line import Work
from device.keeper.pin import Stretch
from device.keeper.throttle import Admission, Counts, Throttle
from device.wire import Outcome, Proof
from tests.unit.keeper.bench import DAY, INVITATION, PIN, Door, PowerCut

WRONG = "905217"


def cut(_digits: str, _salt: bytes) -> bytes:
    raise PowerCut


def guesses_seen_with_the_power_cut_each_time(door: Door, tries: int) -> int:
    """How many tries begin to be looked at when the power goes in the middle of each."""
    seen = 0
    for _ in range(tries):
        door.stretch = cut
        door.say(wire.CheckPin(door.nonce(), 12, WRONG, DAY))
        before = door.stretched
        admitted = attempt_under_way(door)
        with pytest.raises(PowerCut):
            door.worker.run()
        seen += admitted * (door.stretched - before)
        door.guard.file.close()
        door.boot()
    return seen


def attempt_under_way(door: Door) -> bool:
    turn = door.keeper._line._turn
    assert turn
    assert isinstance(turn.task, attempt_module.Attempt)
    return turn.task._admission.admitted


def test_power_cuts_during_checks_give_no_tries_away(home: Door) -> None:
    assert guesses_seen_with_the_power_cut_each_time(home, 8) == 3


def test_the_seeded_charge_after_the_check_is_seen(home: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def charged_last(file: AttemptFile, counts: Counts, stretch: Stretch, salts: list[tuple[str, bytes]]) -> Work:
        def work() -> tuple[bytes, ...]:
            found = tuple(stretch(digits, salt) for digits, salt in salts)
            file.save(counts)
            return found

        return work

    monkeypatch.setattr(attempt_module, "charged_first", charged_last)
    assert guesses_seen_with_the_power_cut_each_time(home, 8) > 3


def test_every_claim_costs_one_stretching_and_two_writes_of_one_size(home: Door) -> None:
    home.invite(slot=13)
    written = pages_written(home)

    def cost(digits: str, slot: int) -> tuple[bool, int, list[int]]:
        stretched = home.stretched
        written.clear()
        accepted = home.type_in(digits, slot)
        return accepted, home.stretched - stretched, [len(page) for page in written]

    pages = [PAGE_BYTES, PAGE_BYTES]
    assert cost(PIN, 12) == (True, 1, pages)
    assert cost(WRONG, 12) == (False, 1, pages)
    assert cost(WRONG, 99) == (False, 1, pages)  # unknown
    assert cost(PIN, 0) == (False, 1, pages)  # nobody
    assert cost(INVITATION, 13) == (False, 1, pages)  # has an invitation and no PIN
    assert cost("", 12) == (False, 1, pages)
    assert cost(WRONG, 12) == (False, 1, pages)
    assert cost(PIN, 12) == (False, 1, pages)  # right, and refused because of the delay


def pages_written(home: Door) -> list[bytes]:
    """Every page that `home` writes from now on; nothing of it stays unchanged on the disk from one to the next."""
    written: list[bytes] = []
    save = home.guard.file.save

    def saves(counts: Counts) -> None:
        before = (home.state / "attempts").read_bytes()
        save(counts)
        after = (home.state / "attempts").read_bytes()
        places = [place for place in (0, PAGE_BYTES) if before[place:][:PAGE_BYTES] != after[place:][:PAGE_BYTES]]
        written.extend(after[place:][:PAGE_BYTES] for place in places)

    home.guard.file.save = saves  # type: ignore[method-assign] # watched for one test
    return written


def locked_out_by_junk(home: Door) -> bool:
    """Whether a resident who mistyped once is kept out after a stranger typed at everything that holds nothing."""
    home.invite(slot=13)
    assert not home.type_in(WRONG, 12)
    for number in range(30):
        home.type_in(WRONG, 400 + number)  # no such flat
        home.type_in(WRONG, 13)  # nobody has moved in yet
        home.set_secret(wire.Secret.DURESS, WRONG, "662071", 400 + number)  # nor anything to set there
    return not home.type_in(PIN, 12)


def test_junk_at_what_holds_nothing_locks_nobody_out(home: Door) -> None:
    assert not locked_out_by_junk(home)
    assert home.guard.throttle.counts() == Counts(1, {}), "the resident's own mistake"
    assert home.set_pin(INVITATION, "662071", 13), "nor whoever moves in there"


def test_the_seeded_charge_for_junk_is_seen(home: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def charges_everything(self: Throttle, slot: int, now_s: float, *, known: bool, residents: int) -> Admission:
        del known
        return charge(self, slot, now_s, known=True, residents=residents)

    charge = Throttle.charge
    monkeypatch.setattr(Throttle, "charge", charges_everything)
    assert locked_out_by_junk(home)


def test_right_entries_between_power_cuts_never_make_anybody_wait(home: Door) -> None:
    for _ in range(8):
        assert home.type_in(PIN)
        home.boot()
    assert home.guard.throttle.counts() == Counts(0, {})


def test_right_entry_whose_giving_back_was_cut_short_costs_one_try_and_the_next_one_gives_it_back(home: Door) -> None:
    home.say(wire.CheckPin(home.nonce(), 12, PIN, DAY))
    home.worker.one()
    assert isinstance(home.house.to(Room.LOCK)[0], wire.Verdict), "the answer does not wait for the disk"
    home.boot()
    assert home.guard.throttle.counts().slots == {12: 1}
    assert home.type_in(PIN)
    home.boot()
    assert home.guard.throttle.counts().slots == {}


def test_setting_a_pin_costs_the_same_for_every_claim(home: Door) -> None:
    def cost(shown: str, slot: int, proof: Proof) -> tuple[bool, int]:
        stretched = home.stretched
        return home.set_pin(shown, "271828", slot, proof), home.stretched - stretched

    assert cost(WRONG, 12, Proof.PIN) == (False, 2)
    assert cost(INVITATION, 12, Proof.INVITATION) == (False, 2)  # burnt
    assert cost(WRONG, 99, Proof.INVITATION) == (False, 2)
    assert cost(PIN, 12, Proof.PIN) == (True, 2)


def test_a_delayed_right_pin_is_refused_and_opens_after_the_delay(home: Door) -> None:
    assert not any(home.type_in(WRONG) for _ in range(3))
    assert not home.type_in(PIN)
    home.wait(29)
    assert not home.type_in(PIN)
    home.wait(1)
    assert home.type_in(PIN)
    assert home.guard.throttle.counts().slots == {}


def test_a_right_pin_clears_the_count(home: Door) -> None:
    for _ in range(5):
        assert not home.type_in(WRONG)
        assert not home.type_in(WRONG)
        assert home.type_in(PIN)


@pytest.mark.slow
def test_walking_over_many_slots_meets_the_budget_of_the_door(door: Door) -> None:
    for slot in range(1, 31):
        door.move_in(slot)
    for _ in range(3):
        assert not any(door.type_in(WRONG, slot) for slot in range(1, 30))
    assert not door.type_in(PIN, 1)  # somebody guessed there, and the door is spent
    assert door.type_in(PIN, 30)  # nobody guessed there
    door.wait(1800)
    assert door.type_in(PIN, 1)


@pytest.mark.parametrize("fault", [StoreFault("the disk is gone"), Fault("no memory")])
def test_a_fault_refuses_and_stays_charged(home: Door, fault: Fault) -> None:
    def fails(_digits: str, _salt: bytes) -> bytes:
        raise fault

    good, home.stretch = home.stretch, fails
    assert not home.type_in(PIN)
    home.stretch = good
    assert home.guard.throttle.counts().slots == {12: 1}
    assert home.type_in(PIN)


def test_an_attempt_that_cannot_be_counted_is_not_made_and_a_keeper_that_can_count_none_ends(home: Door) -> None:
    home.guard.file.close()
    before = home.stretched
    with pytest.raises(StoreFault, match="the counts of wrong attempts cannot be saved"):
        home.type_in(PIN)
    verdicts = [msg for msg in home.house.to(Room.LOCK) if isinstance(msg, wire.Verdict)]
    assert [verdict.outcome for verdict in verdicts] == [Outcome.REFUSED], "told before it ends"
    assert home.stretched == before


def test_an_unforeseen_error_is_not_swallowed(home: Door) -> None:
    home.say(wire.CheckPin(home.nonce(), 12, PIN, DAY))
    assert home.worker.todo
    _, done = home.worker.todo
    with pytest.raises(ZeroDivisionError):
        done(ZeroDivisionError())


def test_no_digit_of_a_pin_or_invitation_is_on_the_disk(tmp_path: Path) -> None:
    door = Door(tmp_path / "keeper")
    canaries = [PIN, "90521764", INVITATION]
    door.move_in(12, PIN)
    door.move_in(13, "90521764")
    door.type_in(PIN)
    door.type_in("55198266", 13)
    canaries.append("55198266")
    door.keeper.stop()
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert len(stored) > 1000
    for digits in canaries:
        assert not [form for form in forms(digits) if form in stored]


def test_the_scan_would_find_a_pin(tmp_path: Path) -> None:
    for form in forms(PIN):
        (tmp_path / "x").write_bytes(b"abc" + form + b"def")
        assert [found for found in forms(PIN) if found in (tmp_path / "x").read_bytes()]


def forms(digits: str) -> list[bytes]:
    """ASCII, one byte a digit, packed BCD, and integers wide enough not to occur by chance."""
    number = int(digits)
    even = digits if len(digits) % 2 == 0 else "0" + digits
    return [
        digits.encode(),
        bytes(int(digit) for digit in digits),
        bytes.fromhex(even) + b"\0",
        number.to_bytes(8, "little"),
        number.to_bytes(8, "big"),
        number.to_bytes(4, "little") + b"\0" if number < 2**32 else number.to_bytes(6, "little"),
        digits.encode("utf-16-le"),
    ]
