"""The questions: their order, their way back, what they refuse, and that they can be answered by anybody."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.config.tables import LockTable, PageTable
from device.desk.setup import interview, page, parts, places, wiring
from device.desk.setup.draft import NEW, Draft
from device.desk.setup.interview import Interview
from device.desk.setup.machine import Machine
from device.desk.setup.questions import NoAnswer
from device.desk.setup.terminal import HELD
from device.errors import ConfigRefused
from device.lock.bolt import Wiring, coil_energised
from tests.unit.desk.setup.people import PI, SIMULATED, CtrlC, Person

ONLY_QUESTION_WITHOUT_A_DEFAULT = "sign.contact"


def by_default(machine: Machine) -> list[Interview]:
    """Every moment of an interview in which Enter is pressed, and a contact named."""
    moments = [Interview.begin(Draft(), machine)]
    while question := moments[-1].question:
        moments.append(moments[-1].answered(question.read("Office" if question.default is None else "")))
    return moments


def step_to(key: str, machine: Machine, draft: Draft | None = None) -> Interview:
    moment = Interview.begin(draft or Draft(), machine)
    while (question := moment.question) and question.key != key:
        moment = moment.answered(question.read("Office" if question.default is None else ""))
    assert moment.question, f"{key} is not asked"
    return moment


@pytest.mark.parametrize("machine", [PI, SIMULATED, Machine()])
def test_pressing_enter_leads_to_a_door_with_the_cautious_defaults(machine: Machine) -> None:
    lock = by_default(machine)[-1].draft.checked().config.lock
    plain = LockTable()
    assert (lock.tier, lock.wiring, lock.unlock_ms) == ("face+pin", plain.wiring, plain.unlock_ms)
    assert [lock.bolt_pin, lock.lamp_pin, lock.tamper_pin] == [plain.bolt_pin, plain.lamp_pin, plain.tamper_pin]


@pytest.mark.parametrize("machine", [PI, SIMULATED, Machine()])
def test_every_question_explains_itself_and_has_a_default_but_the_contact(machine: Machine) -> None:
    for moment in by_default(machine)[:-1]:
        question = moment.question
        assert question
        assert len(question.why) > 20
        assert (question.default is None) == (question.key == ONLY_QUESTION_WITHOUT_A_DEFAULT)
        assert question.default is None or question.read("") == question.default
        if question.choices and question.default:
            assert question.default in {choice.value for choice in question.choices}
            assert "[" in question.prompt()


@given(st.lists(st.sampled_from(["", "1", "2", "3", "back", "no", "GPIO17", "4", "Office", "none", "x"]), max_size=60))
def test_as_many_backs_as_answers_lead_to_the_first_question_with_nothing_changed(typed: list[str]) -> None:
    first = moment = Interview.begin(Draft(), PI)
    for word in typed:
        question = moment.question
        if question is None:
            break
        before = moment
        try:
            moment = moment.back() if word == "back" else moment.answered(question.read(word))
        except (ConfigRefused, NoAnswer):
            assert moment == before
    while moment.passed:
        moment = moment.back()
    assert moment == first


def test_a_magnet_is_said_to_open_without_power_before_it_is_chosen() -> None:
    question = step_to("lock.wiring", PI).question
    assert question
    assert "magnet lets the door open whenever its power fails" in question.shown()


@pytest.mark.parametrize(("kind", "high"), [("fail-secure", True), ("fail-safe", False)])
def test_the_level_that_is_offered_first_keeps_a_line_at_rest_locked(kind: str, high: bool) -> None:
    moment = step_to("lock.wiring", PI).answered("fail-safe").back().answered(kind)
    assert moment.question
    assert moment.question.default == ("high" if high else "low")
    lock = moment.draft.config.lock
    assert not wiring.opens_at_rest(lock)
    turned = dataclasses.replace(lock, bolt_active_high=not high)
    assert wiring.opens_at_rest(turned)
    shown = moment.question.shown().splitlines()
    assert [("OPEN" in line) for line in shown[1:]] == [not high, high], "the dangerous answer says so"


@pytest.mark.parametrize("kind", list(Wiring))
@pytest.mark.parametrize("active_high", [True, False])
def test_what_is_said_of_a_line_at_rest_is_what_the_bolt_does(kind: Wiring, active_high: bool) -> None:
    low_energises = not active_high
    released = next(each for each in (False, True) if coil_energised(kind, released=each) == low_energises)
    assert wiring.opens_at_rest(LockTable(wiring=kind, bolt_active_high=active_high)) == released


@pytest.mark.parametrize(
    ("board", "key", "pin", "why"),
    [
        ("gpiozero", "bolt_pin", "GPIO5", "pulled up while a Raspberry Pi starts"),
        ("gpiozero", "buzzer_pin", "GPIO8", "pulled up while a Raspberry Pi starts"),
        ("gpiod", "bolt_pin", "gpiochip0:17", "name it by its label, chip:pinctrl-rp1:N"),
        ("gpiozero", "lamp_pin", "GPIO17", "the line of the relay of the bolt already"),
        ("gpiozero", "rex_pin", "", "no default|must be a pin"),
    ],
)
def test_a_line_that_would_do_harm_is_refused_at_its_question(board: str, key: str, pin: str, why: str) -> None:
    draft = Draft().put("lock", board=board)
    moment = step_to("pins", PI, draft).answered("no")
    while moment.question and moment.question.key != f"lock.{key}":
        moment = moment.answered(moment.question.read(""))
    with pytest.raises(ConfigRefused, match=why):
        moment.answered(pin)


def test_inputs_may_be_on_any_pin_of_the_header() -> None:
    moment = step_to("pins", PI).answered("no")
    while moment.question and moment.question.key != "lock.rex_pin":
        moment = moment.answered(moment.question.read(""))
    assert moment.answered("GPIO5").draft.config.lock.rex_pin == "GPIO5"


def test_another_board_forgets_the_lines_of_the_one_before() -> None:
    draft = Draft().put("lock", board="gpiod", bolt_pin="line:PA.04")
    assert Interview.begin(draft, PI).answered("gpiozero").draft.config.lock.bolt_pin == LockTable().bolt_pin
    assert Interview.begin(draft, PI).answered("gpiod").draft.config.lock.bolt_pin == "line:PA.04"


def test_a_keypad_is_pinned_by_socket_and_make() -> None:
    moment = step_to("lock.keypad", PI).answered(PI.keypads[1].path)
    lock = moment.draft.config.lock
    assert (lock.keypad, lock.keypad_id) == (PI.keypads[1].path, PI.keypads[1].make)
    gone = parts.pin_keypad(moment.draft, PI, "none").config.lock
    assert (gone.keypad, gone.keypad_id) == ("", "")


def test_a_card_reader_is_written_without_the_numbers_of_its_socket() -> None:
    question = step_to("lock.card_reader", PI).question
    assert question
    assert [choice.value for choice in question.choices] == ["none", "ACS ACR1252"]


def test_a_tpm_that_is_not_there_cannot_be_chosen() -> None:
    without = dataclasses.replace(PI, tpm=False)
    with pytest.raises(ConfigRefused, match="has no TPM"):
        step_to("vault.key_store", without).answered("tpm")
    taken = step_to("vault.key_store", PI).answered("tpm").draft.config
    assert (taken.vault.key_store, taken.keeper.key_store) == ("tpm-nv", "file"), "the PINs stay in a file"


def test_a_usb_camera_is_chosen_by_the_place_it_is_plugged_into() -> None:
    usb = "/dev/v4l/by-path/pci-0000:00:05.0-usb-0:2:1.0-video-index0"
    jetson = dataclasses.replace(PI, cameras=(usb,))
    moment = step_to("camera.backend", jetson)
    assert moment.question
    assert "v4l2" not in {choice.value for choice in moment.question.choices}, "without a place it says too little"
    camera = moment.answered(usb).draft.config.camera
    assert (camera.backend, camera.device) == ("v4l2", usb)
    again = moment.answered(usb).back().question
    assert again
    assert again.default in {choice.value for choice in again.choices}
    chosen = Draft().put("camera", backend="v4l2", device=usb).put("sign", contact="Office")
    interview.refuse_unfit(chosen, jetson)
    with pytest.raises(ConfigRefused, match="not plugged in"):
        interview.refuse_unfit(chosen, PI)


def test_another_camera_drops_the_pin_and_the_same_one_keeps_it() -> None:
    known = "libcamera|imx708|/base/soc/i2c0mux|-"
    stands = Draft().put("camera", pinned=known)
    moment = step_to("camera.backend", PI, stands)
    assert moment.answered("picamera2").draft.config.camera.pinned == known
    assert moment.answered("none").draft.config.camera.pinned == ""


def test_without_a_camera_nothing_is_asked_about_faces() -> None:
    moment = step_to("camera.backend", PI).answered("none")
    asked = []
    while question := moment.question:
        asked.append(question.key)
        moment = moment.answered(question.read("Office" if question.default is None else ""))
    assert not {"vault.key_store", "vault.strangers_per_day", "lock.tier", "sign.view_deg"} & set(asked)


def test_no_page_is_the_default_and_then_nothing_more_is_asked_about_it() -> None:
    keys = [moment.question.key for moment in by_default(PI) if moment.question]
    assert [key for key in keys if key.startswith("page.")] == ["page.served"]
    question = step_to("page.served", PI).question
    assert question
    assert question.default == "no"
    assert "whoever is on that network can call this machine" in question.shown(), "said before the answer"


def test_a_page_is_asked_for_its_port_its_name_and_when_it_is_open() -> None:
    moment = step_to("page.served", PI).answered("yes")
    asked = []
    for typed in ("443", "Door.Local", "yes"):
        assert moment.question
        asked.append(moment.question.key)
        moment = moment.answered(moment.question.read(typed))
    assert asked == ["page.port", "page.name", "page.always"]
    assert moment.draft.config.page == PageTable(port=443, name="door.local", always=True)
    moment.draft.checked()


@pytest.mark.parametrize(
    "wrong", ["0", "65536", "-1", "8_443", "\N{ARABIC-INDIC DIGIT FIVE}", "1" * 5000, "door", "84.5"]
)
def test_what_is_no_port_is_refused_at_its_question(wrong: str) -> None:
    moment = step_to("page.served", PI).answered("yes")
    with pytest.raises(ConfigRefused, match="65535"):
        moment.answered(wrong)


@pytest.mark.parametrize(
    "wrong", ["door local", "https://door.local", "192.168.1.300", "-", "a" * 64, "t\u00fcr.local"]
)
def test_what_is_no_name_is_refused_at_its_question(wrong: str) -> None:
    moment = step_to("page.served", PI).answered("yes").answered("8443")
    with pytest.raises(ConfigRefused, match="page"):
        moment.answered(wrong)


def test_a_name_is_asked_for_although_something_else_contradicts_itself() -> None:
    """A door.toml of before that no longer fits is told at its own question, and not at this one."""
    draft = Draft().put("lock", tier="face", board="gpiozero")
    with pytest.raises(ConfigRefused):
        draft.checked()
    assert page.take_name(page.take_served(draft, PI, "yes"), PI, "door.local").config.page.name == "door.local"


def test_a_no_takes_the_whole_page_back_and_a_chosen_address_outlives_a_yes() -> None:
    stands = Draft().put("page", port=9443, address="192.168.1.20", name="door.local", always=True)
    moment = step_to("page.served", PI, stands)
    assert moment.question
    assert moment.question.default == "yes"
    assert moment.answered("no").draft.config.page == PageTable()
    assert moment.answered("yes").draft.config.page == stands.config.page


def test_seconds_are_typed_and_milliseconds_written() -> None:
    moment = step_to("lock.unlock_ms", PI)
    assert moment.question
    assert moment.question.default == "4"
    assert moment.answered("2,5").draft.config.lock.unlock_ms == 2500
    for wrong in ("0.1", "16", "nan", "inf", "four"):
        with pytest.raises(ConfigRefused):
            moment.answered(wrong)


def test_a_door_that_has_joined_is_not_asked_for_a_label() -> None:
    keys = [m.question.key for m in _moments(Draft(NEW, label_due=False)) if m.question]
    assert "label" not in keys
    assert "label" in [m.question.key for m in _moments(Draft(NEW)) if m.question]


def _moments(draft: Draft) -> list[Interview]:
    moments = [Interview.begin(draft, PI)]
    while question := moments[-1].question:
        moments.append(moments[-1].answered(question.read("Office" if question.default is None else "")))
    return moments


@pytest.mark.parametrize(
    ("draft", "why"),
    [
        (Draft(), "contact is missing"),
        (Draft().put("sign", contact="O").put("lock", keypad="/dev/input/by-path/gone"), "not plugged in"),
        (Draft().put("sign", contact="O").put("lock", osdp="/dev/serial/by-path/gone"), "not plugged in"),
        (Draft().put("sign", contact="O").put("lock", tier="face"), "photograph"),
        (Draft().put("sign", contact="O").put("lock", lamp_pin="GPIO2"), "GPIO9 and above"),
    ],
)
def test_a_draft_that_does_not_fit_is_refused_at_the_end_however_it_came_to_be(draft: Draft, why: str) -> None:
    with pytest.raises(ConfigRefused, match=why):
        interview.refuse_unfit(draft, PI)


def test_a_tpm_in_the_answers_that_the_machine_lacks_is_refused() -> None:
    draft = Draft().put("sign", contact="O").put("keeper", key_store="tpm-nv")
    interview.refuse_unfit(draft, PI)
    with pytest.raises(ConfigRefused, match="names a TPM"):
        interview.refuse_unfit(draft, dataclasses.replace(PI, tpm=False))


@pytest.mark.parametrize("key", [{"key_store": "tpm-nv"}, {"root_key_sealed_with": "tpm2"}])
@pytest.mark.parametrize("table", ["vault", "keeper"])
def test_a_tpm_that_nothing_here_can_speak_to_is_refused_before_anything_is_written(
    table: str, key: dict[str, str]
) -> None:
    bare = dataclasses.replace(PI, tpm_tools=False)
    with pytest.raises(ConfigRefused, match="apt-get install tpm2-tools"):
        interview.refuse_unfit(Draft().put("sign", contact="O").put(table, **key), bare)
    for take in (places.take_faces, places.take_pins):
        with pytest.raises(ConfigRefused, match="apt-get install tpm2-tools"):
            take(Draft(), bare, "file-tpm")
        assert take(Draft(), bare, "file") == Draft()


# ---- at a terminal


def test_ctrl_c_once_holds_the_question_and_loses_no_answer() -> None:
    person = Person.who_types("1", CtrlC(), "", "2", ends=True)
    begun = Interview.begin(Draft(), PI)
    with pytest.raises(EOFError):
        interview.hold(begun, person)
    assert HELD in person.heard
    assert person.heard.count("Which board is this?") == 1


def test_ctrl_c_twice_ends() -> None:
    with pytest.raises(KeyboardInterrupt):
        interview.hold(Interview.begin(Draft(), PI), Person.who_types(CtrlC(), CtrlC()))


def test_a_question_mark_explains_and_asks_again() -> None:
    person = Person.who_types("?", ends=True)
    with pytest.raises(EOFError):
        interview.hold(Interview.begin(Draft(), PI), person)
    assert "by which library the pins are driven" in person.heard


def test_a_contradiction_at_the_end_leads_back_to_the_questions() -> None:
    draft = Draft(label_due=False).put("sign", contact="Office").put("lock", tier="face", board="gpiozero")
    person = Person.who_types(*[""] * 20, ends=True)
    with pytest.raises(EOFError):
        interview.hold(Interview.begin(draft, PI), person)
    assert "a photograph would open this door" in person.heard


@pytest.mark.parametrize("broker", ["mqtt://192.0.2.7:1883", "mqtt://127.0.0.1:99999", "mqtts://[broker.example]"])
def test_a_broker_that_report_would_not_start_with_is_not_written_down(broker: str) -> None:
    fit = Draft().put("sign", contact="O").put("camera", backend="none")
    for taken in ("", "mqtts://broker.example", "mqtt://127.0.0.1:1883"):
        interview.refuse_unfit(fit.put("report", broker=taken), PI)
    with pytest.raises(ConfigRefused, match=r"^\[report\] broker"):
        interview.refuse_unfit(fit.put("report", broker=broker), PI)
