"""Messages in, answers out: one answer each, in order, and nothing half."""

from __future__ import annotations

import pytest

from device import wire
from device.edges import EDGES, Room
from device.errors import KeyFault, NotPermitted
from device.keeper.line import WAITING
from device.keeper.loop import GRANT_NS, REMEMBERED_NONCES, SITTING_NS, STUCK_S
from device.keeper.tenancies import MOST_ASKED_ABOUT, NONE, Tenancy
from device.wire import Outcome, Proof, Purpose, Secret
from tests.unit.keeper.bench import DAY, INVITATION, PIN, Door

WRONG = "905217"


def test_a_pin_opens_while_eye_vault_and_desk_are_dead(home: Door) -> None:
    home.go(Room.VAULT)
    home.go(Room.DESK)
    assert home.type_in(PIN)
    assert not home.type_in(WRONG)


def test_a_verdict_is_stamped_when_the_check_ended(home: Door) -> None:
    home.say(wire.CheckPin(b"n" * 16, 12, PIN, DAY))
    home.wait(0.3)
    home.worker.run()
    assert home.house.to(Room.LOCK) == [wire.Verdict(b"n" * 16, home.now_ns, Outcome.ACCEPTED, 12)]


def test_slot_zero_never_verifies(home: Door) -> None:
    assert not home.type_in(PIN, slot=0)
    assert not home.prove(PIN, slot=0)
    assert not home.set_pin(PIN, "271828", slot=0, proof=Proof.PIN)


def test_slot_zero_never_verifies_even_if_a_record_says_so(home: Door) -> None:
    held = home.guard.book.held(12)
    assert held
    verifier = home.guard.verifiers.verifier(0, home.stretch(PIN, held.salt))
    home.guard.book.keep(0, held.with_pin(held.salt, verifier))
    assert not home.type_in(PIN, slot=0)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_proof_grants_once_to_vault_and_desk(home: Door, purpose: Purpose) -> None:
    assert home.prove(PIN, purpose)
    (grant,) = home.house.to(Room.VAULT)
    (ticket,) = home.house.to(Room.DESK)
    assert isinstance(grant, wire.Grant)
    life_ns = SITTING_NS if purpose is Purpose.PAGE else GRANT_NS
    assert grant == wire.Grant(grant.nonce, purpose, home.now_ns + life_ns, 12)
    assert ticket == wire.GrantTicket(grant.nonce, purpose, grant.expires_ns)
    assert home.prove(PIN, purpose)
    (again,) = home.house.to(Room.VAULT)
    assert isinstance(again, wire.Grant)
    assert again.nonce != grant.nonce


def test_the_code_of_the_page_goes_to_desk_and_to_nobody_else(home: Door) -> None:
    home.say(wire.ProvePin(home.nonce(), Purpose.PAGE, 12, PIN, 739_105))
    home.worker.run()
    (ticket,) = home.house.to(Room.DESK)
    assert isinstance(ticket, wire.GrantTicket)
    assert (ticket.purpose, ticket.page_code) == (Purpose.PAGE, 739_105)
    (grant,) = home.house.to(Room.VAULT)
    assert (739_105).to_bytes(4, "little") not in wire.pack(grant)


@pytest.mark.parametrize("change", wire.CardChange)
def test_no_grant_leaves_keeper_for_what_is_done_to_cards(home: Door, change: wire.CardChange) -> None:
    home.say(wire.ChangeCards(home.nonce(), change, 12, PIN))
    home.worker.run()
    assert [peer for peer, _ in home.house.sent] == [Room.LOCK]


def test_a_door_without_a_reader_refuses_every_card_and_adds_none(home: Door) -> None:
    home.say(wire.ChangeCards(b"a" * 16, wire.CardChange.ADD, 12, PIN))
    home.worker.run()
    home.say(wire.CardShown(b"c" * 16))
    assert [msg for _, msg in home.house.sent] == [
        wire.Answer(b"a" * 16, Outcome.REFUSED),
        wire.Verdict(b"c" * 16, home.now_ns, Outcome.REFUSED, wire.NOBODY),
    ]


def test_a_wrong_proof_grants_nothing(home: Door) -> None:
    assert not home.prove(WRONG)
    assert home.house.sent == []


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("missing", [Room.VAULT, Room.DESK])
def test_without_vault_or_without_a_desk_that_shows_a_notice_there_is_no_grant(
    home: Door, missing: Room, purpose: Purpose
) -> None:
    home.go(missing)
    at_the_keypad_alone = missing is Room.DESK and purpose in (Purpose.ERASE, Purpose.PAUSE, Purpose.RESUME)
    assert home.prove(PIN, purpose) == at_the_keypad_alone
    assert [peer for peer, _ in home.house.sent] == ([Room.VAULT] if at_the_keypad_alone else [])


def test_a_proof_never_opens_the_door(home: Door) -> None:
    home.say(wire.ProvePin(home.nonce(), Purpose.ERASE, 12, PIN))
    home.worker.run()
    assert not [msg for _, msg in home.house.sent if isinstance(msg, wire.Verdict)]


def test_vault_is_told_under_which_offer_a_slot_was_taken(home: Door) -> None:
    home.invite(slot=13)
    assert home.tenancy(12) != wire.NO_TENANCY
    for slot, tenancy in ((12, home.tenancy(12)), (14, wire.NO_TENANCY), (0, wire.NO_TENANCY)):
        assert home.vault_asks(slot) == [wire.CredentialAnswer(slot, tenancy, wire.NO_END)]
    assert home.vault_asks(13) == [wire.PlaceEnded(13)]


def test_two_tenancies_of_one_slot_have_two_names(home: Door) -> None:
    before = home.tenancy()
    home.invite(serial=2)
    assert home.set_pin(INVITATION, PIN)
    assert home.tenancy() not in (before, wire.NO_TENANCY)


def said_to_vault_about(home: Door, *asked: int) -> list[int]:
    """Slots 12 to 14 move in, change their PIN and move out; the slots that vault hears of after asking about some."""
    home.vault_asks(*asked)
    for slot in (13, 14):
        home.invite(slot)
        home.set_pin(INVITATION, PIN, slot)
    for slot in (12, 13, 14):
        home.set_pin(PIN, "271828", slot, Proof.PIN)
        home.invite(slot, serial=2)
    return [
        msg.slot
        for msg in home.house.to(Room.VAULT)
        if isinstance(msg, wire.CredentialAnswer | wire.LastCredentialGone | wire.PlaceEnded)
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "heard"), [((), []), ((12,), [12]), ((13,), [13, 13, 13]), ((12, 13, 99), [13, 13, 12, 13]), ((0,), [])]
)
def test_keeper_says_nothing_about_slots_that_vault_never_asked_about(
    home: Door, asked: tuple[int, ...], heard: list[int]
) -> None:
    assert said_to_vault_about(home, *asked) == heard


def test_a_keeper_that_tells_everything_is_seen(home: Door) -> None:
    class Everybody(dict[int, Tenancy]):
        def __contains__(self, _slot: object) -> bool:
            return True

        def __missing__(self, _slot: int) -> Tenancy:
            return NONE

    home.keeper._tenancies._told = Everybody({12: home.keeper._tenancies.of(12)})
    assert said_to_vault_about(home) == [13, 13, 14, 14, 12, 13, 14]


def test_what_an_earlier_vault_asked_about_is_forgotten(home: Door) -> None:
    home.vault_asks(12, 13, 14)
    home.go(Room.VAULT)
    home.come(Room.VAULT)
    assert said_to_vault_about(home) == []


def test_a_vault_that_asks_about_everything_does_not_fill_keeper_s_memory(home: Door) -> None:
    home.vault_asks(*range(1, MOST_ASKED_ABOUT + 100))
    assert len(home.keeper._tenancies._told) == MOST_ASKED_ABOUT
    assert home.vault_asks(12, 10**9) == [
        wire.CredentialAnswer(12, home.tenancy(), wire.NO_END),
        wire.CredentialAnswer(10**9, wire.NO_TENANCY, wire.NO_END),
    ]
    assert home.type_in(PIN)


def test_answers_come_in_the_order_of_the_questions(home: Door) -> None:
    asked = [home.nonce() for _ in range(4)]
    home.say(wire.CheckPin(asked[0], 12, WRONG, DAY))
    home.say(wire.CheckPin(asked[1], 12, PIN, DAY))
    home.say(wire.ProvePin(asked[2], Purpose.PAUSE, 12, PIN))
    home.say(wire.CheckPin(asked[3], 99, PIN, DAY))
    home.worker.run()
    answers = home.house.to(Room.LOCK)
    assert [msg.nonce for msg in answers if isinstance(msg, wire.Verdict | wire.Answer)] == asked
    assert [msg.outcome for msg in answers if isinstance(msg, wire.Verdict | wire.Answer)] == [0, 1, 1, 0]


def test_more_questions_than_the_line_holds_are_refused_at_once_and_not_charged(home: Door) -> None:
    for _ in range(1 + WAITING):
        home.say(wire.CheckPin(home.nonce(), 12, PIN, DAY))
    assert home.house.to(Room.LOCK) == []
    home.say(wire.CheckPin(b"v" * 16, 12, PIN, DAY))
    home.say(wire.ProvePin(b"p" * 16, Purpose.ERASE, 12, PIN))
    home.say(wire.SetPin(b"s" * 16, Proof.PIN, Secret.PIN, 12, PIN, "271828"))
    assert home.house.to(Room.LOCK) == [
        wire.Verdict(b"v" * 16, home.now_ns, Outcome.REFUSED, 0),
        wire.Answer(b"p" * 16, Outcome.REFUSED),
        wire.Answer(b"s" * 16, Outcome.REFUSED),
    ]
    home.worker.run()
    assert len(home.house.to(Room.LOCK)) == 1 + WAITING
    assert home.stretched == 2 + 1 + WAITING  # the PIN was set with two


def test_tries_in_the_line_are_charged_one_upon_the_other(home: Door) -> None:
    """Four at once are no way around the fourth one's delay."""
    for digits in (WRONG, WRONG, WRONG, PIN):
        home.say(wire.CheckPin(home.nonce(), 12, digits, DAY))
    home.worker.run()
    verdicts = [msg for msg in home.house.to(Room.LOCK) if isinstance(msg, wire.Verdict)]
    assert [verdict.outcome for verdict in verdicts] == [Outcome.REFUSED] * 4


@pytest.mark.parametrize(
    "make",
    [
        lambda nonce: wire.CheckPin(nonce, 12, PIN, DAY),
        lambda nonce: wire.ProvePin(nonce, Purpose.ERASE, 12, PIN),
        lambda nonce: wire.SetPin(nonce, Proof.PIN, Secret.PIN, 12, PIN, "271828"),
    ],
)
def test_a_nonce_is_taken_once(home: Door, make: object) -> None:
    assert callable(make)
    home.ask(make(b"n" * 16))
    with pytest.raises(NotPermitted):
        home.say(wire.CheckPin(b"n" * 16, 12, PIN, DAY))


def test_remembered_nonces_are_bounded(home: Door) -> None:
    for _ in range(REMEMBERED_NONCES + 50):
        home.keeper._nonces.use(home.nonce())
    assert len(home.keeper._nonces._seen) == len(home.keeper._nonces._order) == REMEMBERED_NONCES


def test_a_message_keeper_has_no_use_for_is_not_permitted(door: Door) -> None:
    for message in (wire.Close(), wire.Breach(), wire.AskStatus()):
        with pytest.raises(NotPermitted):
            door.say(message)


def test_a_check_is_void_when_lock_goes_away(home: Door) -> None:
    home.say(wire.CheckPin(home.nonce(), 12, PIN, DAY))
    home.say(wire.ProvePin(home.nonce(), Purpose.ERASE, 12, PIN))
    home.go(Room.LOCK)
    home.come(Room.LOCK)
    home.worker.run()
    assert home.house.sent == []
    assert home.type_in(PIN)


def test_a_pin_is_not_set_for_a_lock_that_went_away(door: Door) -> None:
    door.invite()
    door.say(wire.SetPin(door.nonce(), Proof.INVITATION, Secret.PIN, 12, INVITATION, PIN))
    door.go(Room.LOCK)
    door.come(Room.LOCK)
    door.worker.run()
    assert not door.taken(12)
    assert door.house.sent == []
    assert door.set_pin(INVITATION, PIN)


def test_vault_or_desk_going_away_voids_nothing(home: Door) -> None:
    home.say(wire.CheckPin(home.nonce(), 12, PIN, DAY))
    home.go(Room.VAULT)
    home.go(Room.DESK)
    home.worker.run()
    (verdict,) = home.house.to(Room.LOCK)
    assert isinstance(verdict, wire.Verdict)
    assert verdict.outcome is Outcome.ACCEPTED


def test_a_breach_reaches_lock_now_or_when_it_is_back(door: Door) -> None:
    door.keeper.breached(Room.VAULT)
    assert door.house.to(Room.LOCK) == [wire.Breach()]
    door.go(Room.LOCK)
    door.keeper.breached(Room.LOCK)
    assert door.house.sent == []
    door.come(Room.LOCK)
    assert door.house.to(Room.LOCK) == [wire.Breach()]
    door.go(Room.LOCK)
    door.come(Room.LOCK)
    assert door.house.sent == []


def test_keeper_is_unwell_only_while_a_check_is_stuck(home: Door) -> None:
    assert home.keeper.healthy()
    home.say(wire.CheckPin(home.nonce(), 12, PIN, DAY))
    home.wait(STUCK_S - 1)
    assert home.keeper.healthy()
    home.wait(1)
    assert not home.keeper.healthy()
    home.worker.run()
    assert home.keeper.healthy()


def test_wrong_tries_survive_a_reboot_and_the_delay_begins_anew(home: Door) -> None:
    assert not any(home.type_in(WRONG) for _ in range(3))
    home.wait(29)
    home.boot()
    home.wait(29)
    assert not home.type_in(PIN)
    home.wait(1)
    assert home.type_in(PIN)


def test_a_clean_stop_saves_what_right_entries_gave_back(home: Door) -> None:
    home.type_in(WRONG)
    home.type_in(PIN)
    home.keeper.stop()
    home.boot()
    assert home.guard.throttle.counts().slots == {}


def test_damaged_counts_make_everybody_wait_and_nobody_lose_the_pin(
    home: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    (home.state / "attempts").write_bytes(b"")
    home.boot()
    assert not home.type_in(PIN)
    home.wait(3600)
    assert home.type_in(PIN)
    assert "taken for spent" in capsys.readouterr().err


def test_another_root_key_opens_nothing(home: Door) -> None:
    home.root_key = bytes(32)
    with pytest.raises(KeyFault):
        home.boot()
    home.root_key = bytes(range(32))
    home.boot()
    assert home.type_in(PIN)


def test_every_message_keeper_may_get_has_an_answer_for_it(home: Door) -> None:
    """The table of edges and the room agree."""
    examples: dict[type[wire.Message], wire.Message] = {
        wire.CheckPin: wire.CheckPin(b"1" * 16, 12, WRONG, DAY),
        wire.ProvePin: wire.ProvePin(b"2" * 16, Purpose.ERASE, 12, WRONG),
        wire.SetPin: wire.SetPin(b"3" * 16, Proof.PIN, Secret.PIN, 12, WRONG, "271828"),
        wire.ChangeCards: wire.ChangeCards(b"4" * 16, wire.CardChange.ADD, 12, WRONG),
        wire.SlotOffer: home.offer(13),
        wire.HasCredential: wire.HasCredential(12),
        wire.ProveResident: wire.ProveResident(b"5" * 16, 12, WRONG),
    }
    for edge in EDGES:
        if edge.listener is not Room.KEEPER:
            continue
        for cls in edge.to_listener - examples.keys():
            assert cls is wire.Retire or cls.__name__.startswith("Card"), "they have tests of their own"
        for cls in edge.to_listener & examples.keys():
            home.say(examples[cls], edge.connector)
            home.worker.run()
            assert len(home.house.to(edge.connector)) == 1


def test_the_journal_says_nothing_about_people(home: Door, capsys: pytest.CaptureFixture[str]) -> None:
    home.type_in(WRONG)
    home.type_in(PIN)
    home.prove(PIN)
    home.set_pin(PIN, "123456", proof=Proof.PIN)
    home.invite(13)
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""
