"""Trying the lines: the bolt only by a yes, what was seen is said, crossed lines can be put right."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import pytest

from device.config.tables import Config
from device.desk.setup import readers, sight, trials
from device.desk.setup.draft import Draft
from device.desk.setup.neighbours import EYE, LOCK, READERS, NeighbourFault
from device.desk.setup.trials import Trials
from tests.unit.desk.setup.people import PI, Board, CtrlC, Neighbours, Person

SHUT = ("door closed", "tamper off", None)
SKIPS = ["skip"] * 5  # lamp, two buttons, two contacts


class Bench:
    """Boards as they are had, one after the other; `then` is what happens after the first levels."""

    def __init__(self, *then: str | None, levels: tuple[str | None, ...] = SHUT) -> None:
        self.then, self.levels = then, levels
        self.had: list[Board] = []

    def open(self, config: Config) -> Board:
        assert all(board.closed for board in self.had), "one line has one owner"
        self.had.append(Board(config, deque((*self.levels, *(() if self.had else self.then)))))
        return self.had[-1]

    @property
    def done(self) -> list[str]:
        return [word for board in self.had for word in board.done]


def tried(
    bench: Bench, *typed: str | CtrlC, draft: Draft | None = None, may_change: bool = True
) -> tuple[Trials, Person]:
    person = Person.who_types(*typed)
    tried = Trials(draft or Draft(), person, bench.open, may_change)
    tried.run()
    assert all(board.closed for board in bench.had)
    return tried, person


def test_the_bolt_moves_only_after_a_typed_yes() -> None:
    bench = Bench()
    done, person = tried(bench, "", *SKIPS)
    assert not any(word.startswith("release") for word in bench.done), "Enter is no"
    assert "THE DOOR WILL OPEN NOW" in person.heard
    assert "bolt" in done.untried
    bench = Bench()
    tried(bench, "yes", "well", *SKIPS)
    assert bench.done == ["release 1000"]


def test_without_the_question_the_bolt_would_move() -> None:
    """The fault seeded: a trial that takes Enter for yes is seen by the test above."""

    class Hasty(Trials):
        def _bolt(self) -> None:
            self._do("release 1000")

    bench = Bench()
    Hasty(Draft(), Person.who_types(*SKIPS), bench.open).run()
    assert any(word.startswith("release") for word in bench.done)


def test_a_bolt_at_the_other_level_can_be_turned_round_and_is_tried_again() -> None:
    bench = Bench()
    done, person = tried(bench, "yes", "turned", "yes", "yes", "well", *SKIPS)
    assert not done.draft.config.lock.bolt_active_high
    assert [board.config.lock.bolt_active_high for board in bench.had] == [True, False]
    assert "a line that nobody drives is an OPEN door" in person.heard
    assert done.failed == []


@pytest.mark.parametrize(("typed", "may_change"), [(("yes", "turned", "no"), True), (("yes", "turned"), False)])
def test_a_level_stays_without_a_yes_and_where_nothing_may_be_changed(typed: tuple[str, ...], may_change: bool) -> None:
    done, _ = tried(Bench(), *typed, *SKIPS, may_change=may_change)
    assert done.draft.config.lock.bolt_active_high
    assert done.failed == ["bolt"]


def test_what_does_not_work_is_named() -> None:
    done, _ = tried(Bench(), "yes", "nothing", "go", "no", *SKIPS[1:])
    assert done.failed == ["bolt", "lamp"]
    assert trials.told(done).startswith("Does not work: bolt, lamp.")


def test_the_lamp_is_dark_after_its_trial() -> None:
    bench = Bench()
    tried(bench, "no", "go", "yes", "yes", *SKIPS[1:])
    assert bench.done == ["lamp 1", "lamp 0"]


def test_buzzer_and_light_are_asked_for_one_by_one() -> None:
    bench = Bench()
    draft = Draft().put("lock", buzzer_pin="GPIO12", status_led_pin="GPIO16")
    done, _ = tried(bench, "no", "skip", "go", "yes", "no", *SKIPS[1:], draft=draft)
    assert bench.done == ["show REFUSED", "show REFUSED"]
    assert done.failed == ["status light"]


def test_a_button_is_seen() -> None:
    done, person = tried(Bench(None, "face"), "no", "skip", "go", *SKIPS[2:])
    assert "Seen: the face button." in person.heard
    assert "face button" not in done.untried


def test_a_button_that_is_not_seen_is_asked_for_again() -> None:
    _, person = tried(Bench(None, None, None, "face"), "no", "skip", "go", "go", *SKIPS[2:])
    assert "Nothing was seen on GPIO22." in person.heard
    assert "Seen: the face button." in person.heard


def test_two_buttons_on_each_others_lines_change_them() -> None:
    done, _ = tried(Bench(None, "rex"), "no", "skip", "go", "yes", *SKIPS[1:])
    lock = done.draft.config.lock
    assert (lock.face_button_pin, lock.rex_pin) == ("GPIO23", "GPIO22")
    done, _ = tried(Bench(None, "rex"), "no", "skip", "go", "no", *SKIPS[1:])
    assert done.draft == Draft()


def test_without_a_contact_for_request_to_exit_it_is_not_tried() -> None:
    _, person = tried(Bench(), "no", *SKIPS, draft=Draft().put("lock", rex_wired=False))
    assert "request to exit" not in person.heard


def test_a_contact_is_seen_open_and_closed() -> None:
    bench = Bench(None, "door open", "door closed")
    _, person = tried(bench, "no", "skip", "skip", "skip", "go", "skip")
    assert (
        person.heard.index("It reads closed") < person.heard.index("Seen: open.") < person.heard.index("Seen: closed.")
    )


def test_a_contact_the_other_way_round_is_said_and_no_setting_turns_it() -> None:
    bench = Bench(levels=("door open", "tamper off", None))
    done, person = tried(bench, "no", "skip", "skip", "skip", "go", "skip", "skip")
    assert "a cut cable reads as open. No setting turns it round." in person.heard
    assert done.draft == Draft()
    assert "contact of the door" in done.untried


@pytest.mark.parametrize("answers", range(10))
def test_whenever_the_person_stops_the_lines_are_given_back(answers: int) -> None:
    bench = Bench(None, "face", None, "rex", None, "door open", "door closed")
    typed = ["yes", "well", "go", "yes", "yes", "go", "go", "go", "go"][:answers]
    with pytest.raises(KeyboardInterrupt):
        Trials(Draft(), Person.who_types(*typed, CtrlC(), CtrlC()), bench.open).run()
    assert bench.had
    assert all(board.closed for board in bench.had)


def test_a_line_that_fails_while_it_is_tried_gives_all_back() -> None:
    class Failing(Board):
        def do(self, word: str) -> None:
            raise NeighbourFault("the bolt's line cannot be driven")

    had: list[Failing] = []

    def failing(config: Config) -> Failing:
        had.append(Failing(config))
        return had[-1]

    with pytest.raises(NeighbourFault):
        Trials(Draft(), Person.who_types("yes"), failing).run()
    assert had[0].closed


def test_a_line_that_is_busy_is_one_sentence_and_a_question() -> None:
    person = Person.who_types("skip")
    assert not trials.refused(NeighbourFault("the line GPIO17 cannot be claimed: busy"), person)
    assert person.shown[0] == "The line GPIO17 cannot be claimed: busy."
    assert trials.refused(NeighbourFault("x"), Person.who_types("again"))


# ---- keypad and camera


def draft_with_keypad() -> Draft:
    return Draft().put("lock", keypad=PI.keypads[0].path, keypad_id=PI.keypads[0].make)


def test_the_keypad_that_gives_a_5_is_the_one() -> None:
    draft = draft_with_keypad()
    assert sight.keypad(draft, PI, Person.who_types("go"), Neighbours(), may_change=True) == (draft, True)


def test_another_keypad_that_gives_the_5_can_be_taken_with_its_make() -> None:
    answers = Neighbours()
    answers.answers[f"{LOCK} keypads"] = {"keypad": PI.keypads[1].path}
    found, right = sight.keypad(draft_with_keypad(), PI, Person.who_types("go", "yes"), answers, may_change=True)
    assert right
    assert (found.config.lock.keypad, found.config.lock.keypad_id) == (PI.keypads[1].path, PI.keypads[1].make)
    person = Person.who_types("go", "skip")
    found, right = sight.keypad(draft_with_keypad(), PI, person, answers, may_change=False)
    assert (found, right) == (draft_with_keypad(), False)


def test_no_5_and_a_listener_that_fails_are_said() -> None:
    answers = Neighbours()
    answers.answers[f"{LOCK} keypads"] = {"keypad": ""}
    person = Person.who_types("go", "skip")
    assert not sight.keypad(draft_with_keypad(), PI, person, answers, may_change=True)[1]
    assert "No 5 was seen on any keypad." in person.heard
    answers.answers[f"{LOCK} keypads"] = "what is plugged in cannot be seen"
    person = Person.who_types("go", "skip")
    sight.keypad(draft_with_keypad(), PI, person, answers, may_change=True)
    assert "What is plugged in cannot be seen." in person.heard


def lamp(bench: Bench) -> Trials:
    return Trials(Draft(), Person.who_types(), bench.open)


def test_no_frame_is_read_without_a_yes() -> None:
    answers, bench = Neighbours(), Bench()
    assert sight.camera(Draft(), Person.who_types(""), answers, lamp(bench).lit, may_change=True)[1]
    assert answers.asked == [f"{EYE} probe"]
    assert bench.done == []


HERE, BEFORE = "uvcvideo|HD Camera|usb-1-2|0123456789abcdef", "uvcvideo|Old Camera|usb-1-2|0123456789abcdef"


def test_the_camera_that_is_there_is_pinned_and_a_change_is_said() -> None:
    answers = Neighbours()
    answers.answers[f"{EYE} probe"] = {"there": True, "pinned": HERE}
    person = Person.who_types("")
    seen, well = sight.camera(Draft(), person, answers, lamp(Bench()).lit, may_change=True)
    assert (seen.config.camera.pinned, well) == (HERE, True)
    assert "another camera" not in person.heard
    known = Draft().put("camera", pinned=BEFORE)
    seen, well = sight.camera(known, person, answers, lamp(Bench()).lit, may_change=True)
    assert (seen.config.camera.pinned, well) == (HERE, True)
    assert f"{HERE} instead of {BEFORE}" in person.heard


@pytest.mark.parametrize("may_change", [True, False])
def test_only_who_may_change_the_pin_asks_without_it_and_a_fault_keeps_it(may_change: bool) -> None:
    asked_with: list[str] = []

    class Listening(Neighbours):
        def __call__(self, module: str, *words: str, toml: str = "", patience_s: float = 30.0) -> Mapping[str, object]:
            asked_with.append(toml)
            raise NeighbourFault("another camera is there")

    known = Draft().put("camera", pinned=BEFORE)
    kept, well = sight.camera(known, Person.who_types(""), Listening(), lamp(Bench()).lit, may_change=may_change)
    assert (kept, well) == (known, False)
    assert (BEFORE in asked_with[0]) is not may_change


def test_a_frame_is_read_with_the_lamp_lit_and_only_its_measures_are_told() -> None:
    answers, bench = Neighbours(), Bench()
    lit_then: list[list[str]] = []
    read = answers.__call__

    class Watched(Neighbours):
        def __call__(self, module: str, *words: str, toml: str = "", patience_s: float = 30.0) -> object:  # type: ignore[override] # the same answers
            if words == ("frame",):
                lit_then.append(list(bench.done))
            return read(module, *words, toml=toml, patience_s=patience_s)

    person = Person.who_types("yes")
    watched: Any = Watched()
    assert sight.camera(Draft(), person, watched, lamp(bench).lit, may_change=True)[1]
    assert lit_then == [["lamp 1"]]
    assert bench.done == ["lamp 1", "lamp 0"]
    assert "640 by 480 pixels, brightness 118 of 255." in person.heard
    assert "A face of 54 px between the eyes, near enough." in person.heard
    assert "A face of 20 px between the eyes, too far: 28 are needed." in person.heard


@pytest.mark.parametrize("word", ["probe", "frame"])
def test_a_camera_that_fails_is_one_sentence_and_the_lines_are_given_back(word: str) -> None:
    answers, bench = Neighbours(), Bench()
    answers.answers[f"{EYE} {word}"] = "the camera gave no frame within 1000 ms"
    person = Person.who_types("yes")
    assert not sight.camera(Draft(), person, answers, lamp(bench).lit, may_change=True)[1]
    assert "The camera gave no frame within 1000 ms." in person.heard
    assert all(board.closed for board in bench.had)


def test_a_budget_is_told_by_what_follows_from_it() -> None:
    told = sight.consequence(Draft(), Neighbours())
    assert told.startswith(
        "False opens a year: at most 1, if 5 strangers a day press the button. So with up to 4 faces"
    )
    assert "1.7% are refused with one face, 30.9% with 4" in told
    none = Neighbours()
    none.answers["device.vault.foretell "] = {"faces": 0, "alone": 1.0, "at_most": 1.0}
    assert "hardly any face could be told from theirs, not even after a flat number" in sight.consequence(Draft(), none)


# ---- readers


BOTH = Draft().put("lock", card_reader="ACS ACR1252", osdp="/dev/serial/by-path/one")
SEEN: Mapping[str, object] = {"seen": True, "well": True}
NOTHING: Mapping[str, object] = {"seen": False, "well": True}
GONE: Mapping[str, object] = {"seen": False, "well": False}


def asked(**answers: Mapping[str, object] | str) -> Neighbours:
    return Neighbours({f"{READERS} {word}": answer for word, answer in answers.items()})


def test_a_card_and_a_5_that_are_seen_leave_nothing_untried() -> None:
    person = Person.who_types("", "")
    assert readers.untried(BOTH, person, asked(card=SEEN, osdp=SEEN)) == []
    assert "hold a card to it" in person.heard
    assert "press 5 on it" in person.heard


@pytest.mark.parametrize(
    ("answer", "why"),
    [(NOTHING, "is there, and nothing was seen"), (GONE, "is not there"), ("pcscd does not answer", "Pcscd does not")],
)
def test_a_reader_that_sees_nothing_can_be_tried_again_and_is_named_when_skipped(
    answer: Mapping[str, object] | str, why: str
) -> None:
    draft, person, room = BOTH.put("lock", osdp=""), Person.who_types("", "", "skip"), asked(card=answer)
    assert readers.untried(draft, person, room) == ["the card reader"]
    assert person.heard.count(why) == 2
    assert len(room.asked) == 2


def test_readers_that_a_door_does_not_have_are_not_tried() -> None:
    room, person = Neighbours(), Person.who_types()
    assert readers.untried(Draft(), person, room) == []
    assert readers.untried(BOTH.put("lock", board="sim"), person, room) == []
    assert (room.asked, person.asked) == ([], 0)


def test_an_answer_that_does_not_say_so_is_no_sight() -> None:
    person = Person.who_types("", "skip")
    assert readers.untried(BOTH.put("lock", osdp=""), person, asked(card={"seen": "yes"})) == ["the card reader"]
