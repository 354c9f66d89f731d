"""The page behind its counter, over real sockets and two threads: who may ask, what vault hears, and nobody waits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device import attestation, wire
from device.desk import timeouts
from device.desk.page.counter import Counter, Ended, Face, Finished, Hinted, Paper, Phase, Sitting, Unavailable
from device.desk.page.reception import ARMED_S
from device.desk.page.sittings import MOST_OPEN, SITTING_S, Sittings, Waiting
from device.edges import Room
from device.paths import Paths
from device.wire import HeldFace, Hint, Purpose, Result
from tests.unit.desk.house import House, nonce
from tests.unit.desk.page.counters import Scene, page_up
from tests.unit.desk.papers import CONSENT, KEY

AGREED = bytes(range(32))
TERMS = bytes(range(16))


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A door whose page is armed."""
    with page_up(tmp_path) as built:
        built.arm()
        yield built


def held(grant: bytes) -> wire.Held:
    return wire.Held(
        grant, HeldFace.PAUSED, 20_000, 5, under_14=True, covered=True, ends_unix=7, terms=TERMS, sittings=2
    )


# ---- armed


def test_nothing_is_served_before_the_page_is_armed_nor_ten_minutes_later(tmp_path: Path) -> None:
    with page_up(tmp_path) as scene:
        page = scene.page
        assert (page.armed, scene.shutter.said) == (False, [])
        assert page.counter
        assert scene.now(page.counter.begin("")) is None
        scene.arm()
        assert scene.shutter.said == ["open"]
        assert scene.counter.armed()
        scene.house.pass_time(ARMED_S - 1)
        assert scene.counter.armed()
        scene.arm()
        scene.house.pass_time(ARMED_S - 1)
        assert scene.shutter.said == ["open"]
        scene.house.pass_time(1)
        assert not scene.counter.armed()
        assert scene.shutter.said == ["open", "close"]
        scene.arm()
        assert scene.shutter.said == ["open", "close", "open"]
    assert scene.shutter.said[-1] == "close", "the desk ends"


def test_the_page_stays_as_long_as_somebody_sits(scene: Scene) -> None:
    scene.house.pass_time(ARMED_S - 60)
    browser, _ = scene.sits()
    scene.house.pass_time(SITTING_S - 1)
    assert scene.counter.armed()
    assert scene.now(scene.counter.phase(browser.id)) is Phase.OPEN
    scene.house.pass_time(1)
    assert not scene.counter.armed()


def test_where_the_installer_says_so_the_page_is_always_there(tmp_path: Path) -> None:
    with page_up(tmp_path, always=True) as scene:
        scene.house.pass_time(0)
        assert scene.shutter.said == ["open"]
        scene.house.pass_time(10 * ARMED_S)
        assert scene.counter.armed()
        assert scene.shutter.said == ["open"]


def test_a_server_that_cannot_open_is_a_line_in_the_journal_and_no_more(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_counter: Counter) -> None:
        raise Unavailable("no certificate lies here")

    with page_up(tmp_path) as scene:
        monkeypatch.setattr(scene.shutter, "open", broken)
        scene.arm()
        assert "no certificate lies here" in capfd.readouterr().err
        other = scene.house.join(Room.DOORCTL)
        other.say(wire.AskStatus())
        scene.house.turn()
        assert scene.lock.heard() == [wire.AskStatus()]


# ---- who sits


def test_two_browsers_wait_and_the_one_whose_code_is_typed_sits(scene: Scene) -> None:
    one, other = scene.waits(), scene.waits()
    grant = scene.types(one.code)
    assert [scene.now(scene.counter.phase(each.id)) for each in (one, other)] == [Phase.OPEN, Phase.WAITING]
    assert scene.vault.heard() == []
    asked = scene.browsers.begin(scene.counter.held(one.id))
    assert scene.vault_hears() == [wire.AskHeld(grant)]
    scene.vault.say(held(grant))
    said = scene.settled(asked)
    assert (said.face, said.enrolled_day, said.pictures) == (Face.PAUSED, 20_000, 5)
    assert (said.under_14, said.covered, said.sittings) == (True, True, 2)
    assert (said.place_ends_unix, said.terms, said.ends_s) == (7, TERMS, scene.house.now_s + SITTING_S)


def who_sits(scene: Scene) -> list[Phase]:
    """A resident waits, then a thief; the resident types what stands on their own screen."""
    resident, thief = scene.waits(), scene.waits()
    scene.types(resident.code)
    return [scene.now(scene.counter.phase(each.id)) for each in (resident, thief)]


def test_a_thief_who_waits_as_well_gets_nothing_by_the_residents_code(scene: Scene) -> None:
    assert who_sits(scene) == [Phase.OPEN, Phase.WAITING]


def test_a_desk_that_gives_the_ticket_to_the_newest_browser_would_be_caught(scene: Scene) -> None:
    class ToTheNewest(Sittings):
        def _shows(self, _code: str) -> Waiting | None:
            return self._waiting[-1]

    scene.page.sittings = ToTheNewest()
    assert who_sits(scene) == [Phase.WAITING, Phase.OPEN]


def test_a_code_nobody_shows_sits_nowhere_and_vault_is_told(scene: Scene) -> None:
    browser = scene.waits()
    grant = scene.types(int(browser.code) ^ 1)
    assert scene.vault_hears() == [wire.SittingOver(grant)]
    assert scene.now(scene.counter.phase(browser.id)) is Phase.WAITING


def test_a_code_that_ended_sits_nowhere_and_vault_is_told(scene: Scene) -> None:
    browser = scene.waits()
    scene.house.pass_time(180)
    grant = scene.types(browser.code)
    assert scene.vault_hears() == [wire.SittingOver(grant)]
    assert scene.now(scene.counter.phase(browser.id)) is Phase.ENDED


def test_the_first_of_too_many_gives_way_and_vault_is_told(scene: Scene) -> None:
    seated = [scene.sits() for _ in range(MOST_OPEN + 1)]
    assert scene.vault_hears() == [wire.SittingOver(seated[0][1])]
    phases = [scene.now(scene.counter.phase(browser.id)) for browser, _ in seated]
    assert phases == [Phase.ENDED, *[Phase.OPEN] * MOST_OPEN]


@pytest.mark.parametrize("name", ["", "A" * 43, "x" * 10_000, "../..", "\0"])
def test_a_name_nobody_was_given_is_nobodys(scene: Scene, name: str) -> None:
    browser, _ = scene.sits()
    assert scene.now(scene.counter.phase(name)) is Phase.ENDED
    with pytest.raises(Ended):
        scene.now(scene.counter.held(name))
    act = scene.begins(Sitting(name, "111111", 0.0), Purpose.ERASE)
    with pytest.raises(Ended):
        scene.settled(act.done)
    scene.now(scene.counter.leave(name))
    assert scene.vault.heard() == []
    assert scene.now(scene.counter.phase(browser.id)) is Phase.OPEN


def test_a_browser_that_only_waits_may_ask_and_do_nothing(scene: Scene) -> None:
    browser = scene.waits()
    with pytest.raises(Ended):
        scene.now(scene.counter.held(browser.id))
    with pytest.raises(Ended):
        scene.settled(scene.begins(browser, Purpose.PAUSE).done)
    assert scene.vault.heard() == []


# ---- acts


def test_an_act_goes_to_vault_in_the_name_of_the_sitting_as_often_as_somebody_likes(scene: Scene) -> None:
    browser, grant = scene.sits()
    for order in (wire.Pause(grant), wire.Resume(grant), wire.Pause(grant)):
        act = scene.begins(browser, Purpose[type(order).__name__.upper()])
        assert scene.vault_hears() == [order]
        scene.vault.say(wire.Done(grant, Result.DONE))
        scene.settled(act.done)
        assert act.steps == [Finished(Result.DONE)]


def test_what_was_declared_of_a_face_goes_to_vault_as_it_was_declared(scene: Scene) -> None:
    browser, grant = scene.sits()
    for under_14, covered, again in ((True, False, False), (False, True, False), (False, False, True)):
        act = scene.begins(browser, Purpose.ENROL, AGREED, under_14=under_14, covered=covered, again=again)
        assert scene.vault_hears() == [wire.Enrol(grant, AGREED, under_14, covered, again)]
        scene.vault.say(wire.Done(grant, Result.REFUSED))
        scene.settled(act.done)


def test_an_enrolment_brings_hints_and_its_paper_and_the_confirming_ticket_is_no_other_act(scene: Scene) -> None:
    browser, grant = scene.sits()
    act = scene.begins(browser, Purpose.ENROL, AGREED, under_14=True)
    assert scene.vault_hears() == [wire.Enrol(grant, AGREED, under_14=True)]
    paper = attestation.sign(CONSENT, KEY)
    scene.vault_says(wire.EnrolHint(Hint.COME_CLOSER))
    scene.vault_says(wire.EnrolHint(Hint.CONFIRM_WITH_PIN))
    scene.keeper.say(scene.house.ticket(Purpose.ENROL))
    scene.house.turn()
    scene.vault_says(wire.Attestation(grant, paper))
    scene.vault_says(wire.Done(grant, Result.DONE))
    scene.settled(act.done)
    assert act.steps == [
        Hinted(Hint.COME_CLOSER),
        Hinted(Hint.CONFIRM_WITH_PIN),
        Paper(paper),
        Finished(Result.DONE),
    ]
    person = scene.house.join(Room.DOORCTL)
    person.say(wire.Act(Purpose.ENROL, AGREED, under_14=False))
    scene.house.turn()
    assert person.heard() == [wire.Ended(Result.NO_GRANT)]


def test_vaults_no_ends_the_sitting(scene: Scene) -> None:
    browser, grant = scene.sits()
    act = scene.begins(browser, Purpose.PAUSE)
    scene.vault_hears()
    scene.vault.say(wire.Done(grant, Result.NO_GRANT))
    scene.settled(act.done)
    assert act.results == [Result.NO_GRANT]
    assert scene.now(scene.counter.phase(browser.id)) is Phase.ENDED


def test_one_act_at_a_time_with_doorctl_as_well(scene: Scene) -> None:
    browser, grant = scene.sits()
    person = scene.house.join(Room.DOORCTL)
    earned = scene.house.ticket(Purpose.ERASE)
    scene.keeper.say(earned)
    scene.house.turn()
    person.say(wire.Act(Purpose.ERASE, bytes(32), under_14=False))
    assert scene.vault_hears() == [wire.Erase(earned.nonce)]
    act = scene.begins(browser, Purpose.PAUSE)
    scene.settled(act.done)
    assert act.results == [Result.BUSY]
    scene.vault_says(wire.Done(earned.nonce, Result.DONE))
    assert person.heard() == [wire.Ended(Result.DONE)]
    act = scene.begins(browser, Purpose.PAUSE)
    assert scene.vault_hears() == [wire.Pause(grant)]
    person.say(wire.Act(Purpose.ERASE, bytes(32), under_14=False))
    scene.house.turn()
    assert person.heard() == [wire.Ended(Result.BUSY)]
    scene.vault_says(wire.Done(grant, Result.DONE))
    scene.settled(act.done)
    assert (act.results, person.heard()) == ([Result.DONE], [])


def test_a_sitting_is_no_act_that_a_command_line_may_ask_for(scene: Scene) -> None:
    browser, _ = scene.sits()
    person = scene.house.join(Room.DOORCTL)
    person.say(wire.Act(Purpose.PAGE, bytes(32), under_14=False))
    scene.house.turn()
    assert person.cut_off()
    assert scene.vault.heard() == []
    assert scene.now(scene.counter.phase(browser.id)) is Phase.OPEN


@pytest.mark.parametrize(
    ("purpose", "consent", "declared"),
    [
        (Purpose.PAGE, bytes(32), {}),
        (Purpose.ENROL, bytes(32), {}),
        (Purpose.RENEW, bytes(32), {}),
        (Purpose.ERASE, AGREED, {}),
        (Purpose.PAUSE, bytes(32), {"under_14": True}),
        (Purpose.RENEW, AGREED, {"under_14": True}),
        (Purpose.RENEW, AGREED, {"covered": True}),
        (Purpose.RENEW, AGREED, {"again": True}),
        (Purpose.PAUSE, bytes(32), {"again": True}),
    ],
)
def test_an_act_without_its_form_is_a_fault_of_the_page_and_goes_nowhere(
    scene: Scene, purpose: Purpose, consent: bytes, declared: dict[str, bool]
) -> None:
    browser, _ = scene.sits()
    with pytest.raises(ValueError, match=r"sitting|consent|declaration"):
        scene.settled(scene.begins(browser, purpose, consent, **declared).done)
    assert scene.vault.heard() == []


def test_whoever_stops_listening_ends_the_enrolment_and_nobody_elses_sitting(scene: Scene) -> None:
    (browser, grant), (neighbour, _) = scene.sits(), scene.sits()
    act = scene.begins(browser, Purpose.ENROL, AGREED)
    assert scene.vault_hears() == [wire.Enrol(grant, AGREED, under_14=False)]
    act.done.cancel()
    scene.turns_until(scene.vault.cut_off)
    scene.vault.sock.close()
    scene.vault = scene.house.join(Room.VAULT)
    phases = [scene.now(scene.counter.phase(each.id)) for each in (browser, neighbour)]
    assert phases == [Phase.OPEN, Phase.OPEN]
    again = scene.begins(browser, Purpose.PAUSE)
    assert scene.vault_hears() == [wire.Pause(grant)]
    scene.vault.say(wire.Done(grant, Result.DONE))
    scene.settled(again.done)
    assert again.results == [Result.DONE]


def test_leaving_ends_the_sitting_here_and_at_vault_and_an_enrolment_with_it(scene: Scene) -> None:
    browser, grant = scene.sits()
    act = scene.begins(browser, Purpose.ENROL, AGREED)
    scene.vault_hears()
    scene.now(scene.counter.leave(browser.id))
    assert scene.vault_hears() == [wire.SittingOver(grant)]
    scene.turns_until(scene.vault.cut_off)
    scene.settled(act.done)
    assert act.results == [Result.FAULT]
    assert scene.now(scene.counter.phase(browser.id)) is Phase.ENDED


def test_what_ended_while_vault_was_away_is_told_when_it_comes(scene: Scene) -> None:
    browser, grant = scene.sits()
    scene.vault.sock.close()
    scene.house.turn()
    scene.now(scene.counter.leave(browser.id))
    scene.vault = scene.house.join(Room.VAULT)
    assert scene.vault_hears() == [wire.SittingOver(grant)]
    assert scene.house.join(Room.VAULT).heard() == []


# ---- vault's word, and its silence


def test_what_vault_ended_is_over(scene: Scene) -> None:
    browser, grant = scene.sits()
    asked = scene.browsers.begin(scene.counter.held(browser.id))
    scene.vault_hears()
    scene.vault.say(wire.SittingOver(grant))
    with pytest.raises(Ended):
        scene.settled(asked)
    assert scene.now(scene.counter.phase(browser.id)) is Phase.ENDED
    scene.vault_says(wire.SittingOver(nonce()))
    assert not scene.vault.cut_off(), "that it is over may be said of what desk has forgotten already"


def test_without_vault_nothing_is_told_and_the_sitting_stands(scene: Scene) -> None:
    browser, _ = scene.sits()
    asked = scene.browsers.begin(scene.counter.held(browser.id))
    scene.vault_hears()
    scene.vault.sock.close()
    with pytest.raises(Unavailable):
        scene.settled(asked)
    with pytest.raises(Unavailable):
        scene.now(scene.counter.held(browser.id))
    act = scene.begins(browser, Purpose.ERASE)
    scene.settled(act.done)
    assert act.results == [Result.FAULT]
    assert scene.now(scene.counter.phase(browser.id)) is Phase.OPEN


def test_a_vault_that_does_not_answer_keeps_nobody_waiting_and_its_late_word_is_for_nobody(scene: Scene) -> None:
    browser, grant = scene.sits()
    first = scene.browsers.begin(scene.counter.held(browser.id))
    scene.vault_hears()
    scene.house.pass_time(timeouts.RECORD_S)
    with pytest.raises(Unavailable):
        scene.settled(first)
    second = scene.browsers.begin(scene.counter.held(browser.id))
    scene.vault_hears()
    scene.vault_says(held(grant))
    assert not second.done(), "the answer to the first question"
    scene.vault_says(held(grant))
    assert scene.settled(second).face is Face.PAUSED
    scene.vault_says(held(grant))
    scene.vault.heard()
    assert scene.vault.cut_off(), "what nobody asked for breaks the table of messages"


def test_an_act_that_vault_never_ends_ends_the_sitting(scene: Scene) -> None:
    """Its late end would else be taken for that of the next act."""
    browser, grant = scene.sits()
    act = scene.begins(browser, Purpose.PAUSE)
    scene.vault_hears()
    scene.house.pass_time(timeouts.ACT_S)
    scene.settled(act.done)
    assert act.results == [Result.FAULT]
    assert scene.vault_hears() == [wire.SittingOver(grant)]
    assert scene.now(scene.counter.phase(browser.id)) is Phase.ENDED
    scene.vault_says(wire.Done(grant, Result.DONE))
    assert not scene.vault.cut_off()


def test_status_is_asked_of_lock_and_is_none_when_lock_is_away(scene: Scene) -> None:
    well = wire.DoorStatus(
        eye=True,
        vault=True,
        keeper=True,
        report=False,
        camera_well=True,
        alarms=0,
        policy_version=3,
        document_key=AGREED,
        ending=wire.Ending.NONE,
        ends_in_s=0,
    )
    asked = scene.browsers.begin(scene.counter.status())
    scene.turns_until(lambda: scene.lock.heard() == [wire.AskStatus()])
    scene.lock.say(well)
    assert scene.settled(asked) == well
    scene.lock.sock.close()
    scene.house.turn()
    assert scene.now(scene.counter.status()) is None


# ---- a desk without a page


def test_a_desk_without_a_page_drops_what_is_said_about_one(tmp_path: Path) -> None:
    house = House(Paths(tmp_path))
    lock, keeper, vault = (house.join(room) for room in (Room.LOCK, Room.KEEPER, Room.VAULT))
    lock.say(wire.PageArmed())
    keeper.say(wire.GrantTicket(nonce(), Purpose.PAGE, 2**62, 482_913))
    vault.say(wire.SittingOver(nonce()))
    house.turn()
    assert not any(end.cut_off() for end in (lock, keeper, vault))
    vault.say(held(nonce()))
    house.turn()
    assert vault.cut_off(), "nobody had asked"
    house.close()
