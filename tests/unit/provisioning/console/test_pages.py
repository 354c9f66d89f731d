"""Places, files of doors, plans, news and words: what the pages do with good input and with bad."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.policy.methods import WORDS
from device.wire import OccurrenceKind
from provisioning import timetable
from provisioning.console import once, plan, sheets_csv, wording
from provisioning.console.live import MOST_ALARMS, Health, Live
from provisioning.console.throttle import Kind
from provisioning.errors import FleetRefused
from provisioning.placing import Placed
from provisioning.store import DoorState
from provisioning.store_pages import DoorLine
from provisioning.users import Role
from tests.support.console import HOST, PASSPHRASE, Browser, Desk, alert

HOME = {"origin": f"http://{HOST}"}


# ---- places


def offer(browser: Browser, **typed: str) -> Any:
    words = {"slot": "12", "days": "14", "passphrase": PASSPHRASE, **typed}
    return browser.send(f"/doors/{browser.desk.door.id}/offer", f"/doors/{browser.desk.door.id}", **words)


def test_an_offer_is_what_the_command_line_makes(desk: Desk) -> None:
    browser = desk.signed_in("mia", Role.MANAGER)
    said = offer(browser)
    assert re.search(r'id="invitation">\d{4} \d{4} \d{4}<', said.text)
    assert [(slot.number, slot.serial) for slot in desk.fleet.store.door("Front").slots] == [(12, 1)]
    document = f"{desk.door.id}-1.doc"
    assert browser.get(f"/documents/{document}").content == (desk.folder / document).read_bytes()
    assert desk.acts[-1] == ("mia", "slot offer", "")


def test_an_offer_that_is_sent_again_is_made_once(desk: Desk) -> None:
    browser = desk.signed_in()
    page = browser.get(f"/doors/{desk.door.id}").text
    number = re.search(r'name="once" value="(\w+)"', page)
    assert number is not None
    said = [offer(browser, once=number[1]) for _ in range(3)]
    assert [each.status_code for each in said] == [200, 409, 409]
    assert "sent already" in alert(said[1])
    assert desk.fleet.store.door("Front").version == 1


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"slot": "0"}, "a number from 1 to 9999"),
        ({"slot": "10000"}, "a number from 1 to 9999"),
        ({"slot": "-1"}, "is no number"),
        ({"slot": "1" * 5000}, "is no number"),
        ({"slot": "=1+1"}, "is no number"),
        ({"days": "0"}, "1 to 90 days"),
        ({"days": ""}, "is no number"),
        ({"until": "tomorrow"}, "a day such as"),
        ({"until": "2001-01-01"}, "is over already"),
        ({"timetable": "9"}, "have no timetable 9"),
        ({"passphrase": "wrong passphrase"}, "passphrase is wrong"),
        ({"passphrase": ""}, "passphrase is wrong"),
    ],
)
def test_an_offer_that_cannot_be_costs_nothing_and_keeps_what_was_typed(
    desk: Desk, typed: dict[str, str], why: str
) -> None:
    said = offer(desk.signed_in(), **typed)
    assert said.status_code == 400
    assert why in alert(said)
    assert desk.fleet.store.door("Front").version == 0
    for name, value in {"days": "14", **typed}.items():
        assert f'name="{name}"' in said.text
        assert name == "passphrase" or f'value="{value[:9]}' in said.text
    assert "wrong passphrase" not in said.text


@pytest.mark.slow
def test_wrong_passphrases_are_counted(desk: Desk) -> None:
    browser = desk.signed_in()
    said = [alert(offer(browser, passphrase="wrong passphrase")) for _ in range(Kind.DEVICE.value + 1)]
    assert "too many tries" in said[-1]
    assert "too many tries" in alert(offer(browser))
    assert desk.fleet.store.door("Front").version == 0


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("name", ["document.key", "console.key", "..%2Fconsole.key", "%2e%2e%2fdocument.key", "x.doc"])
def test_nothing_of_the_folder_but_documents_is_given_away(desk: Desk, name: str) -> None:
    said = desk.signed_in().get(f"/documents/{name}")
    assert said.status_code in {400, 404}
    assert (desk.folder / "document.key").read_bytes() not in said.content


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("door", ["0" * 16, "x", "'", "%00", "9" * 3000])
def test_a_door_that_is_none_is_one_sentence(desk: Desk, door: str) -> None:
    said = desk.signed_in().get(f"/doors/{door}")
    assert (said.status_code, alert(said)) == (400, "There is no such door in this fleet.")


def test_what_a_person_wrote_is_never_markup(desk: Desk) -> None:
    name = "<script>alert(1)</script>\"'&"
    desk.fleet.add_door(name)
    browser = desk.signed_in()
    browser.send(f"/doors/{desk.door.id}/place", f"/doors/{desk.door.id}", building='"><img src=x>', floor="<b>")
    for path in ("/", f"/?q={name}", "/?building=<script>", "/plan", f"/doors/{desk.door.id}", "/acts"):
        text = browser.get(path).text
        assert "<script>alert" not in text
        assert "<img" not in text
    assert desk.fleet.store.door("Front").floor == "<b>"


@pytest.mark.exhaustive(1)
@pytest.mark.parametrize(("building", "floor"), [("x" * 65, ""), ("", "x" * 17), ("a\u0007", ""), ("", "1\u20282")])
def test_words_for_a_place_have_bounds(desk: Desk, building: str, floor: str) -> None:
    browser = desk.signed_in()
    said = browser.send(f"/doors/{desk.door.id}/place", f"/doors/{desk.door.id}", building=building, floor=floor)
    assert "a building has at most" in alert(said).lower()


# ---- files of doors


@pytest.mark.parametrize("cell", ["=1+1", "+1+1", "-cmd", "@SUM(A1)", "=HYPERLINK(1)", "-1-1", "+", "@"])
def test_a_formula_is_refused_by_its_row_and_harmless_in_what_we_write(cell: str) -> None:
    for column in range(3):
        cells = ["Door", "House", "1"]
        cells[column] = cell
        found = sheets_csv.read(f"name,building,floor\nGood,,\n{','.join(cells)}\n".encode())
        assert [(row.number, "formula" in row.why) for row in found.wrong] == [(3, True)]
    line = DoorLine(cell, "0" * 16, DoorState.ADDED, cell, cell, 0, None, known=False, places=0)
    written = sheets_csv.exported([line]).decode("utf-8-sig").splitlines()[1].split(",")
    assert written[:3] == [f"'{cell}"] * 3


def test_a_cellar_is_a_number() -> None:
    assert sheets_csv.read(b"name,building,floor\nA,B,-1\n").rows[0].placed.floor == "-1"
    assert sheets_csv.harmless("-1") == "-1"
    assert sheets_csv.harmless("\t=1") == "'\t=1"


def test_columns_may_stand_in_any_order_and_be_left_out() -> None:
    found = sheets_csv.read(b"name,floor,rent,building\nA,2,900,Haus\n")
    assert found.rows[0].placed == Placed("A", "Haus", "2")
    assert sheets_csv.read(b"name\nA\n").rows[0].placed == Placed("A")
    assert sheets_csv.read("\ufeffName\r\n临街大门\r\n".encode()).rows[0].placed.name == "临街大门"


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (",Haus,1", "no name"),
        ("x" * 65, "longer than 64"),
        ("A," + "x" * 65, "longer than 64"),
        ("A,B," + "9" * 17, "longer than 16"),
        ("A\u0007", "printed"),
        ("Front", "already"),
        ("Good", "row 2 has the same name"),
    ],
)
def test_each_row_that_cannot_be_says_why(row: str, why: str) -> None:
    found = sheets_csv.read(f"name,building,floor\nGood,,\n{row}\n".encode(), ["Front"])
    assert [(each.number, why in each.why) for each in found.wrong] == [(3, True)]


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "first row"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "no text in UTF-8"),
        (b"PK\x03\x04" + bytes(100), "no text"),
        (b"name\n" + bytes(10), "no text"),
        ("name\nü\n".encode("latin-1"), "no text in UTF-8"),
        ("name\nA\n".encode("utf-16"), "no text in UTF-8"),
        (b'name\n"open', "comma-separated"),
        (b"door;building\nA;B\n", "first row"),
        (b"name\n\n\n", "no doors"),
        (b"name\n" + b"A\n" * (sheets_csv.MOST_ROWS + 1), "at most 5000"),
        (b"x" * (sheets_csv.LARGEST + 1), "bytes"),
        (b"name\n" + b"x" * 200_000, "comma-separated"),
    ],
)
def test_an_uploaded_nonsense_is_one_sentence(desk: Desk, content: bytes, why: str) -> None:
    browser = desk.signed_in()
    form = {"token": browser.token("/import")}
    said = browser.client.post("/import", data=form, files={"file": ("doors.csv", content)}, headers=HOME)
    assert said.status_code == 400
    assert why in alert(said)
    assert len(desk.fleet.store.doors()) == 1


@given(st.binary(max_size=300))
def test_any_bytes_are_rows_or_a_refusal(content: bytes) -> None:
    for begin in (b"", b"name,building,floor\n"):
        try:
            found = sheets_csv.read(begin + content)
        except FleetRefused:
            continue
        assert all(row.why or row.placed.name for row in found.rows)


def test_what_is_sent_after_the_look_is_read_anew_and_once(desk: Desk) -> None:
    browser = desk.signed_in()
    form = {"token": browser.token("/import"), "once": "abc", "text": "name\nA\nB\n"}

    def send() -> Any:
        return browser.client.post("/import", data=form, headers=HOME)

    assert "2 doors were added" in send().text
    assert "2 of 2 rows cannot be added" in alert(send())
    form |= {"text": "name\nC\n=1\n", "once": "abd"}
    assert "1 of 2 rows" in alert(send())
    assert [door.name for door in desk.fleet.store.doors()] == ["A", "B", "Front"]


# ---- plans


def line(name: str, floor: str) -> DoorLine:
    return DoorLine(name, f"{abs(hash(name)):016x}"[:16], DoorState.JOINED, "H", floor, 0, None, known=True, places=0)


def test_floors_stand_as_people_count_them() -> None:
    found = plan.plan([line(f"Door {at}", floor) for at, floor in enumerate(["", "-1", "10", "2", "0", "Roof"])])
    assert [floor.name for floor in found.floors] == ["Roof", "10", "2", "0", "-1", ""]


@given(st.lists(st.sampled_from(["0", "1", "-1", "", "EG"]), max_size=60))
def test_no_door_is_left_out_and_none_lies_upon_another(floors: list[str]) -> None:
    found = plan.plan([line(f"Door {at}", floor) for at, floor in enumerate(floors)])
    boxes = [box for floor in found.floors for box in floor.boxes]
    assert len(boxes) == len(floors)
    for at, one in enumerate(boxes):
        assert one.x + plan.BOX_WIDTH <= found.width
        assert one.y + plan.BOX_HEIGHT <= found.height
        for other in boxes[:at]:
            assert abs(one.x - other.x) >= plan.BOX_WIDTH or abs(one.y - other.y) >= plan.BOX_HEIGHT


def test_a_long_name_is_cut_by_its_width() -> None:
    assert plan.shortened("Front door", 18) == "Front door"
    assert plan.shortened("临街大门临街大门临街大门", 18) == "临街大门临街大门…"


# ---- live


def fact(event: str, **more: Any) -> dict[str, object]:
    return {"event": event, "id": "a" * 16, "door": "Front", **more}


def test_a_door_is_as_bad_as_the_worst_that_holds() -> None:
    now = [1000.0]
    board, told = Live(lambda: now[0]), list[str]()
    stop = board.listen(told.append)
    steps: list[tuple[dict[str, object], Health]] = [
        (fact("online"), Health.UNKNOWN),
        (fact("report", well=True, lock=True, bolt=True, sw="0.1.0", docs=3), Health.WELL),
        (fact("report", well=False, lock=True, bolt=False), Health.UNWELL),
        (fact("offline"), Health.UNWELL),
        (fact("report", well=True, lock=True, bolt=True), Health.WELL),
        (fact("offline"), Health.OFFLINE),
        (fact("alarm", reason="TAMPER"), Health.ALARM),
        (fact("test"), Health.ALARM),
    ]
    for news, health in steps:
        board.take(news)
        assert board.status("a" * 16).health is health, news
    assert (board.status("a" * 16).software, board.status("a" * 16).documents) == ("0.1.0", 3)
    (alarm,) = board.alarms()
    assert board.looked_at(alarm.number)
    assert not board.looked_at(alarm.number)
    assert board.status("a" * 16).health is Health.OFFLINE
    assert board.attention() == ("a" * 16,)
    seen = len(told)
    stop()
    board.take(fact("alarm"))
    assert len(told) == seen


def test_alarms_are_bounded_and_counted() -> None:
    board = Live(lambda: 1.0)
    board.take(fact("alarm"))
    for _ in range(MOST_ALARMS):
        board.take({"event": "alarm", "id": "b" * 16, "door": "Back"})
    assert len(board.alarms()) == MOST_ALARMS
    assert (board.status("a" * 16).alarms, board.status("b" * 16).alarms) == (0, MOST_ALARMS)


def test_every_reason_and_state_has_words() -> None:
    for language in wording.LANGUAGES:
        words = wording.words(language)
        assert all(words(f"reasons.{kind.name.lower()}") for kind in OccurrenceKind)
        assert all(words(f"states.{state.value}") for state in DoorState)
        assert all(words(f"health.{health.value}") for health in Health)
        assert all(words(f"roles.{role.value}") for role in Role)
        assert all(words(f"days.{day}") for day in timetable.DAYS)
        assert all(words(f"methods.{word.replace('+', '_')}") for word in WORDS)


# ---- words


def test_both_languages_say_the_same_things() -> None:
    english, chinese = wording.words("en").sentences, wording.words("zh").sentences
    assert english.keys() == chinese.keys()

    def values(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    assert [key for key in english if values(english[key]) != values(chinese[key])] == []


def test_every_act_that_is_noted_has_words() -> None:
    code = "\n".join(path.read_text("utf-8") for path in Path(str(files("provisioning"))).rglob("*.py"))
    noted = set(re.findall(r'(?:note|record|_changing)\([^)]*?"([a-z][a-z -]+)"', code))
    assert {"slot offer", "user role", "door send", "too many sign-ins"} <= noted
    for language in wording.LANGUAGES:
        words = wording.words(language)
        assert {command for command in noted if words.command(command) == command} == set()
    assert wording.words("en").command("made by a newer one") == "made by a newer one"


def test_every_word_that_a_page_uses_is_there_and_none_is_left_over() -> None:
    folder = files("provisioning.console")
    texts = [each.read_text("utf-8") for each in folder.joinpath("templates").iterdir()]
    texts += [each.read_text("utf-8") for each in folder.iterdir() if each.name.endswith(".py")]
    known = set(wording.words("en").sentences)
    text = "\n".join(texts)
    used = {
        key
        for key in re.findall(r'"([a-z_]+\.[a-z_]+)"', text)
        if key.split(".")[0] in {k.split(".")[0] for k in known}
    }
    assert {key for key in used if not key.endswith((".html", ".css", ".csv", ".py"))} - known == set()
    families = (
        "states.",
        "reasons.",
        "health.",
        "parts.",
        "roles.",
        "labels.",
        "profiles.",
        "days.",
        "methods.",
        "commands.",
    )
    assert {key for key in known - used if not key.startswith(families)} == set()


@pytest.mark.parametrize(
    ("chosen", "accepted", "spoken"),
    [
        (None, "", "en"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "fr, en;q=0.5, zh;q=0.9", "zh"),
        (None, "de", "en"),
        ("zh", "en", "zh"),
        ("../../etc", "en", "en"),
        (None, ";;;q=,zh;q=x" * 500, "zh"),
    ],
)
def test_the_language_is_the_one_chosen_or_the_first_we_have(chosen: str | None, accepted: str, spoken: str) -> None:
    assert wording.language(chosen, accepted) == spoken


def test_numbers_of_forms_are_bounded() -> None:
    used = once.Once()
    for number in range(once.MOST_KEPT + 10):
        used.use(str(number))
    assert len(used._used) == once.MOST_KEPT
