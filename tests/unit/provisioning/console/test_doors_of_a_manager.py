"""What a manager does to a door in the console: joining, hours, what it tells, its certificate, its end."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from device import attestation, document
from device.attestation import EndOfDoor
from device.bodies import Retirement
from device.joining import claim_key
from device.policy.methods import PIN_AND_CARD, Method
from device.policy.schedule import DoorPolicy, Interval, OtherHours, Schedule, Timetable
from device.strength import KeyPlace
from device.wire import Profile
from provisioning import authority, joining, reporting, timetable
from provisioning.console import acting, hours
from provisioning.labels import Where
from provisioning.store import DoorState, LabelState
from provisioning.users import Role
from tests.support.board import Board
from tests.support.console import HOST, PASSPHRASE, Browser, Desk, alert

HOME = {"origin": f"http://{HOST}"}
DAY_S = 86_400


def page(desk: Desk, end: str = "") -> str:
    return f"/doors/{desk.door.id}{end}"


def act(browser: Browser, end: str, at: str, **words: str) -> httpx.Response:
    """Send the form `end` of the page `at` of the door."""
    return browser.send(page(browser.desk, end), page(browser.desk, at), **words)


def upload(browser: Browser, end: str, at: str, content: bytes, **words: str) -> httpx.Response:
    form = {"token": browser.token(page(browser.desk, at)), "once": f"{hash(content)}{end}{words}"[:40], **words}
    path = page(browser.desk, end)
    said: httpx.Response = browser.client.post(path, data=form, files={"file": ("file", content)}, headers=HOME)
    return said


# ---- joining


@pytest.fixture
def office(desk: Desk) -> Desk:
    """A desk whose fleet has an authority, and doors that join by file."""
    authority.create(desk.folder, PASSPHRASE, int(desk.now) - DAY_S)
    desk.console = replace(desk.console, where=Where("broker.example"))
    desk.fleet.add_door("New")
    desk.door = desk.fleet.store.door("New")
    return desk


def board(browser: Browser, **words: str) -> Board:
    """A board that got a label which the console made."""
    said = act(browser, "/label", "/joining", days="14", **words)
    found = re.search(r"<pre[^>]*>(.*?)</pre>", said.text, re.DOTALL)
    assert found is not None, alert(said)
    return Board.of(unescape(found[1]))


def asked(one: Board) -> bytes:
    return one.asked.pack(claim_key(one.label.secret))


def compare(browser: Browser, one: Board, **words: str) -> httpx.Response:
    return upload(browser, "/request", "/joining", asked(one), by="file", **words)


def approve(browser: Browser, shown: httpx.Response, **words: str) -> httpx.Response:
    """Send the form of the page that shows a fingerprint; `words` are what somebody fills in, or changes."""
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', shown.text.split("/approve")[1]))
    form = {**hidden, "same": "yes", "passphrase": PASSPHRASE, **words}
    said: httpx.Response = browser.client.post(page(browser.desk, "/approve"), data=form, headers=HOME)
    return said


def test_a_door_joins_after_its_fingerprint_was_compared(office: Desk, tmp_path: Path) -> None:
    browser = office.signed_in("mia", Role.MANAGER)
    new = board(browser)
    shown = compare(browser, new)
    assert f'id="fingerprint">{new.asked.fingerprint}<' in shown.text
    assert office.fleet.store.door("New").state is DoorState.ADDED, "nothing is changed by looking"
    said = approve(browser, shown)
    assert said.status_code == 200, alert(said)
    door = office.fleet.store.door("New")
    assert (door.state, door.document_key) == (DoorState.JOINED, bytes(new.box.public_key).hex())
    name = re.search(r'/documents/([0-9a-f-]+\.answer)"', said.text)
    assert name is not None
    path = tmp_path / "answer"
    path.write_bytes(browser.get(f"/documents/{name[1]}").content)
    believed = new.believes(path)
    assert int(believed.not_valid_after_utc.timestamp()) == door.not_after_unix
    assert [command for who, command, _ in office.acts if who == "mia"][-2:] == ["door claim", "door join"]


@pytest.mark.exhaustive(1)
@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"same": ""}, "tick that it is the same"),
        ({"passphrase": "wrong passphrase"}, "passphrase is wrong"),
        ({"fingerprint": "0000 0000 0000 0000 0000"}, "another request than the one"),
        ({"request": "00"}, "ends too early"),
        ({"request": "zz"}, "ends too early"),
    ],
)
def test_what_was_not_compared_is_not_approved(office: Desk, words: dict[str, str], why: str) -> None:
    browser = office.signed_in()
    shown = compare(browser, board(browser))
    said = approve(browser, shown, **words)
    assert said.status_code == 400
    assert why in alert(said)
    assert office.fleet.store.door("New").state is DoorState.ADDED
    assert office.fleet.store.labels("New")[-1].state is LabelState.OPEN
    assert approve(browser, shown, once="again").status_code == 200, "it can be sent once more"


def swapped(browser: Browser) -> httpx.Response:
    """Somebody who copied the label brings a request of their own in the place of the one that was compared."""
    mine = board(browser)
    theirs = Board(mine.label, Board.of(mine.label.text()).key, Board.of(mine.label.text()).box)
    return approve(browser, compare(browser, mine), request=asked(theirs).hex())


def test_a_request_of_somebody_else_with_the_same_label_is_not_the_one_that_was_compared(office: Desk) -> None:
    said = swapped(office.signed_in())
    assert "another request" in alert(said)
    assert office.fleet.store.door("New").state is DoorState.ADDED


def test_seeded_fault_a_console_that_compares_no_fingerprint_lets_them_in(
    office: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining.Asked, "fingerprint", "always the same")
    assert swapped(office.signed_in()).status_code == 200
    assert office.fleet.store.door("New").state is DoorState.JOINED


def test_whoever_sees_another_fingerprint_ends_the_label_there(office: Desk) -> None:
    browser = office.signed_in()
    new = board(browser)
    shown = compare(browser, new)
    assert "/label-revoke" in shown.text
    assert act(browser, "/label-revoke", "/joining").status_code == 303
    assert office.fleet.store.labels("New")[-1].state is LabelState.REVOKED
    assert "revoked" in alert(approve(browser, shown))
    assert "has no label" in alert(act(browser, "/label-revoke", "/joining"))


@pytest.mark.slow
def test_an_answer_that_was_lost_is_made_again_for_the_same_keys(office: Desk) -> None:
    browser = office.signed_in()
    new = board(browser)
    approve(browser, compare(browser, new))
    assert 'tick "It has joined' in alert(compare(browser, new))
    again = compare(browser, new, again="yes")
    said = approve(browser, again)
    assert said.status_code == 200, alert(said)
    assert len(office.fleet.store.certificates("New")) == 2
    assert "tick it" in alert(act(browser, "/label", "/joining", days="14"))


@pytest.mark.slow
def test_a_request_that_is_none_is_one_sentence(office: Desk) -> None:
    browser = office.signed_in()
    board(browser)
    for content, why in (
        (b"x", "too early"),
        (b"x" * 9000, "too long"),
        (b"", "choose a file"),
        (bytes(500), "is none"),
    ):
        said = upload(browser, "/request", "/joining", content, by="file")
        assert (said.status_code, why in alert(said).lower()) == (400, True), alert(said)
    assert "without a broker" in alert(act(browser, "/request", "/joining", by="broker"))


def test_a_fleet_without_authority_lets_a_door_join_without_certificate(desk: Desk) -> None:
    desk.fleet.add_door("New")
    desk.door = desk.fleet.store.door("New")
    browser = desk.signed_in()
    new = board(browser)
    said = approve(browser, compare(browser, new))
    assert said.status_code == 200, alert(said)
    assert desk.fleet.store.door("New").document_key == bytes(new.box.public_key).hex()
    assert "authority" in browser.get(page(desk, "/certificate")).text


def test_one_door_is_added_and_gets_its_label_next(desk: Desk) -> None:
    browser = desk.signed_in("mia", Role.MANAGER)
    said = browser.send("/doors", "/import", name="Side", building="Haus", floor="-1")
    door = desk.fleet.store.door("Side")
    assert (said.status_code, said.headers["location"]) == (303, f"/doors/{door.id}/joining")
    assert (door.building, door.floor) == ("Haus", "-1")
    assert 'named "Side" already' in alert(browser.send("/doors", "/import", name="Side"))


# ---- hours

EVERY_DAY = dict.fromkeys((f"s0-{day}" for day in timetable.DAYS), "00:00-24:00")
OPEN = {"zone": "Europe/Berlin", "s0-pin": "yes", "s0-card": "yes", **EVERY_DAY}


def set_hours(browser: Browser, **words: str) -> httpx.Response:
    return act(browser, "/hours", "/hours", **{"passphrase": PASSPHRASE, **words})


def test_hours_are_what_the_command_line_makes_of_its_file(desk: Desk) -> None:
    browser = desk.signed_in("mia", Role.MANAGER)
    days = {f"s1-{day}": "7:00 – 12:00, 14:00-20:00" for day in ("mon", "tue", "wed", "thu", "fri")}
    said = set_hours(
        browser,
        **OPEN,
        **{"s1-face+pin": "yes", **days, "s1-other": "2026-12-24 to 2026-12-26: -\n2027-01-01:\n"},
        **{"t0-number": "3", "t0-mon": "08:00-12:00"},
    )
    assert said.status_code == 200, alert(said)
    wanted = timetable.parse("""
        zone = "Europe/Berlin"
        [[schedule]]
        opens = ["pin", "card"]
        hours.every-day = ["00:00-24:00"]
        [[schedule]]
        opens = ["face+pin"]
        hours.mon-fri = ["07:00-12:00", "14:00-20:00"]
        [[schedule.other]]
        from = 2026-12-24
        to = 2026-12-26
        hours = []
        [[schedule.other]]
        from = 2027-01-01
        hours = []
        [[timetable]]
        number = 3
        hours.mon = ["08:00-12:00"]
    """)
    assert desk.fleet.policy("Front") == wanted
    content = browser.get(f"/documents/{desk.door.id}-1.doc").content
    assert document.sealed_box(content, bytes.fromhex(desk.door.id))
    assert desk.acts[-1] == ("mia", "policy set", "")


MANY = ",".join(f"{at:02}:{m:02}-{at:02}:{m + 1:02}" for at in range(23) for m in range(0, 58, 10))


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"s0-face+pin": "yes", "s0-card": ""}, "On Thursdays at 00:00 the door would open by face but not by card."),
        ({"s1-face": "yes", "s1-sun": "09:00-10:00", "s0-sun": ""}, "On Sundays at 09:00 the door would open by face"),
        ({**dict.fromkeys(EVERY_DAY, "")}, "opens the door to nobody"),
        ({"zone": ""}, "time zone"),
        ({"zone": "Europe/Nowhere"}, "is unknown here"),
        ({"zone": "../../etc/passwd"}, "time zone"),
        ({"s0-mon": "late"}, "hours are written as"),
        ({"s0-mon": "20:00-07:00"}, "past midnight"),
        ({"s0-mon": "\u0660\u0667:00-08:00"}, "hours are written as"),
        ({"s0-other": "Christmas"}, "other days are written as"),
        ({"s0-other": "2026-02-30: -"}, "is no day"),
        ({"s1-mon": "07:00-08:00"}, "name one method or more"),
        ({"t0-mon": "07:00-08:00"}, "a timetable has a number"),
        ({"t0-number": "256", "t0-mon": "07:00-08:00"}, "from 1 to 255"),
        ({"t0-number": "1", "t1-number": "1", "t0-mon": "07:00-08:00", "t1-mon": "07:00-08:00"}, "each timetable once"),
        ({f"s0-{day}": MANY for day in timetable.DAYS}, "bytes"),
        ({"passphrase": "wrong passphrase"}, "passphrase is wrong"),
    ],
)
def test_hours_that_cannot_be_are_one_sentence_and_stay_in_the_form(
    desk: Desk, words: dict[str, str], why: str
) -> None:
    said = set_hours(desk.signed_in(), **{**OPEN, **words})
    assert said.status_code == 400
    assert why.lower() in alert(said).lower()
    assert alert(said).count(". ") == 0, "one sentence"
    assert (desk.fleet.policy("Front"), desk.fleet.store.door("Front").version) == (None, 0)
    for name, value in words.items():
        if name.endswith(("mon", "number")) and value:
            assert f'value="{value[:30]}' in said.text


def test_the_rule_of_the_equal_door_is_said_in_chinese_too(desk: Desk) -> None:
    browser = desk.signed_in()
    browser.client.cookies.set("doorward-language", "zh")
    said = set_hours(browser, **{**OPEN, "s0-face+pin": "yes", "s0-pin": ""})
    assert alert(said) == "星期四 00:00，门能用人脸打开，却不能用密码打开。"


def test_hours_of_a_place_that_stands_are_not_taken_away(desk: Desk) -> None:
    browser = desk.signed_in()
    set_hours(browser, **OPEN, **{"t0-number": "3", "t0-mon": "08:00-12:00"})
    path = page(desk)
    said = browser.send(f"{path}/offer", path, slot="12", days="14", timetable="3", passphrase=PASSPHRASE)
    assert said.status_code == 200, alert(said)
    assert "place 12 has the hours of timetable 3" in alert(set_hours(browser, **OPEN)).lower()


def test_a_viewer_sees_hours_and_cannot_send_them(desk: Desk) -> None:
    set_hours(desk.signed_in(), **OPEN)
    viewer = desk.signed_in("vera", Role.VIEWER)
    text = viewer.get(page(desk, "/hours")).text
    assert 'value="00:00-24:00"' in text
    assert "<fieldset disabled" in text
    assert 'name="passphrase"' not in text
    assert set_hours(viewer, **OPEN).status_code == 403


SPANS = st.lists(st.integers(0, 1440), max_size=6, unique=True).map(
    lambda edges: tuple(Interval(*pair) for pair in zip(*[iter(sorted(edges)[: len(edges) // 2 * 2])] * 2, strict=True))
)
WEEKS = st.tuples(*[SPANS] * 7)
DAYS = st.dates(min_value=date(1970, 1, 1), max_value=date(2149, 6, 6))
OTHERS = st.lists(st.tuples(DAYS, SPANS), max_size=3, unique_by=lambda each: each[0]).map(
    lambda found: tuple(OtherHours(day, day, spans) for day, spans in sorted(found, key=lambda each: each[0]))
)
METHODS = st.sampled_from([PIN_AND_CARD, Method.PIN, PIN_AND_CARD | Method.FACE_WITH_PIN, PIN_AND_CARD | Method.FACE])


@pytest.mark.slow
@given(
    st.lists(st.builds(Schedule, METHODS, WEEKS, OTHERS), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(1, 255), WEEKS, OTHERS), max_size=3, unique_by=lambda each: each[0]),
)
def test_what_the_form_shows_is_what_it_would_send(
    schedules: list[Schedule], timetables: list[tuple[int, Any, Any]]
) -> None:
    numbered = tuple(Timetable(*each) for each in sorted(timetables, key=lambda each: each[0]))
    policy = DoorPolicy("Europe/Berlin", tuple(schedules), numbered)
    assert timetable.of(hours.table(hours._shown(policy))) == policy


# ---- what it tells


def tell(browser: Browser, **words: str) -> httpx.Response:
    return act(browser, "/telling", "/telling", **{"profile": "building", "passphrase": PASSPHRASE, **words})


def test_what_a_door_tells_is_chosen_and_shown(desk: Desk) -> None:
    browser = desk.signed_in("mia", Role.MANAGER)
    key = "09" + "00" * 31
    assert tell(browser, alarm_key=key, epsilon="0.5").status_code == 200
    chosen = reporting.reporting(desk.fleet, "Front")
    assert chosen is not None
    assert (chosen.profile, chosen.epsilon_milli, chosen.alarm_key.hex()) == (Profile.BUILDING, 500, key)
    text = browser.get(page(desk, "/telling")).text
    assert key in text
    assert 'value="0.5"' in text
    assert desk.acts[-1] == ("mia", "reporting set", "")


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"profile": ""}, "as one of a building"),
        ({"profile": "home"}, "your own home"),
        ({"alarm_key": "xyz"}, "64 hexadecimal digits"),
        ({"alarm_key": "00" * 32}, "nothing but zeros"),
        ({"epsilon": "nan"}, "is a number from"),
        ({"epsilon": "99"}, "is a number from"),
        ({"epsilon": "0"}, "is a number from"),
        ({"profile": "home", "own_home": "yes", "epsilon": "0.5"}, "gives no daily count"),
        ({"passphrase": ""}, "passphrase is wrong"),
    ],
)
def test_what_no_door_would_believe_costs_nothing(desk: Desk, words: dict[str, str], why: str) -> None:
    said = tell(desk.signed_in(), **words)
    assert said.status_code == 400
    assert why in alert(said)
    assert desk.fleet.store.door("Front").version == 0


# ---- the certificate


@pytest.fixture
def joined(office: Desk) -> tuple[Desk, Browser, Board]:
    browser = office.signed_in()
    new = board(browser)
    assert approve(browser, compare(browser, new)).status_code == 200
    return office, browser, new


@pytest.mark.slow
def test_the_next_certificate_is_made_from_a_file(joined: tuple[Desk, Browser, Board], tmp_path: Path) -> None:
    desk, browser, new = joined
    desk.later(300 * DAY_S)
    browser = desk.signed_in("mia", Role.MANAGER)
    said = upload(browser, "/renew", "/certificate", new.asked.csr, by="file", passphrase=PASSPHRASE)
    assert said.status_code == 200, alert(said)
    name = re.search(r'/documents/([0-9a-f-]+\.answer)"', said.text)
    assert name is not None
    (tmp_path / "answer").write_bytes(browser.get(f"/documents/{name[1]}").content)
    assert (
        new.believes(tmp_path / "answer").not_valid_after_utc.timestamp() == desk.fleet.store.door("New").not_after_unix
    )
    stranger = Board.of(new.label.text())
    said = upload(browser, "/renew", "/certificate", stranger.asked.csr, by="file", passphrase=PASSPHRASE)
    assert "another key than it joined with" in alert(said)
    assert "has not asked" in alert(act(browser, "/renew", "/certificate", by="broker", passphrase=PASSPHRASE))


@pytest.mark.slow
def test_a_revoked_door_gets_no_next_certificate_and_the_list_names_it(joined: tuple[Desk, Browser, Board]) -> None:
    desk, browser, new = joined
    assert "tick that you mean it" in alert(act(browser, "/revoke", "/certificate", passphrase=PASSPHRASE))
    assert not [each for each in desk.fleet.store.certificates("New") if each.revoked_unix]
    said = act(browser, "/revoke", "/certificate", meant="yes", passphrase=PASSPHRASE)
    assert said.status_code == 200, alert(said)
    (ended,) = desk.fleet.store.certificates("New")
    assert ended.revoked_unix == int(desk.now)
    found = x509.load_pem_x509_crl(browser.get("/documents/revoked.pem").content)
    assert found.get_revoked_certificate_by_serial_number(int(ended.serial, 16)) is not None
    said = upload(browser, "/renew", "/certificate", new.asked.csr, by="file", passphrase=PASSPHRASE)
    assert "was revoked" in alert(said)
    assert "neither a certificate nor a label" in alert(act(browser, "/revoke", "/certificate", meant="yes"))


def test_to_revoke_needs_no_passphrase_and_a_wrong_one_undoes_nothing(joined: tuple[Desk, Browser, Board]) -> None:
    desk, browser, _new = joined
    said = act(browser, "/revoke", "/certificate", meant="yes", passphrase="wrong passphrase")
    assert said.status_code == 200
    assert "passphrase is wrong" in alert(said)
    assert all(each.revoked_unix for each in desk.fleet.store.certificates("New"))
    assert not (desk.folder / "revoked.pem").exists()
    assert act(browser, "/revoked-list", "/certificate", passphrase=PASSPHRASE).status_code == 200
    assert (desk.folder / "revoked.pem").exists()


# ---- the end


def retirement(desk: Desk, browser: Browser) -> bytes:
    version = desk.fleet.store.door("Front").version
    content = browser.get(f"/documents/{desk.door.id}-{version}.doc").content
    assert document.sealed_box(content, bytes.fromhex(desk.door.id))
    return content


def test_an_owner_announces_the_end_and_a_manager_takes_it_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    real = type(desk.fleet).sealed

    def noted(*words: Any) -> bytes:
        told.append(words[1])
        return bytes(real(*words))

    monkeypatch.setattr(type(desk.fleet), "sealed", noted)
    browser = desk.signed_in()
    words = {"hours": "100", "name": "Front", "meant": "yes", "passphrase": PASSPHRASE}
    assert act(browser, "/retire", "/ending", **words).status_code == 200
    retirement(desk, browser)
    manager = desk.signed_in("mia", Role.MANAGER)
    assert act(manager, "/retire", "/ending", **words).status_code == 403
    assert act(manager, "/recall", "/ending", passphrase=PASSPHRASE).status_code == 200
    retirement(desk, manager)
    assert told == [Retirement(100), Retirement(0)]
    assert desk.fleet.store.door("Front").state is not DoorState.RETIRED, "it opens until it has ended"
    assert [(who, what) for who, what, _ in desk.acts if what == "door retire"] == [
        ("ada", "door retire"),
        ("mia", "door retire"),
    ]


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"name": ""}, "type its name"),
        ({"name": "front"}, "type its name"),
        ({"meant": ""}, "tick that you mean it"),
        ({"hours": "71"}, "72 to"),
        ({"hours": "0"}, "72 to"),
        ({"hours": "x"}, "is no number"),
        ({"passphrase": "wrong passphrase"}, "passphrase is wrong"),
    ],
)
def test_an_end_that_was_not_meant_is_not_announced(desk: Desk, words: dict[str, str], why: str) -> None:
    form = {"hours": "72", "name": "Front", "meant": "yes", "passphrase": PASSPHRASE, **words}
    said = act(desk.signed_in(), "/retire", "/ending", **form)
    assert said.status_code == 400
    assert why in alert(said)
    assert desk.fleet.store.door("Front").version == 0


def paper(desk: Desk, door: str = "") -> str:
    end = EndOfDoor(bytes.fromhex(door or desk.door.id), 20_000, KeyPlace.TPM_NV, KeyPlace.FILE_HOST_KEY)
    return attestation.armour(attestation.sign(end, SigningKey(bytes(range(32)))))


def torn(text: str) -> str:
    """A paper of which one letter was changed on its way."""
    *before, last, end = text.splitlines()
    return "\n".join([*before, ("B" if last[0] == "A" else "A") + last[1:], end]) + "\n"


KEY = SigningKey(bytes(range(32))).verify_key.encode().hex()


@pytest.mark.parametrize("as_file", [True, False])
def test_a_door_is_given_up_with_its_receipt(desk: Desk, as_file: bool) -> None:
    browser = desk.signed_in()
    words = {"name": "Front", "meant": "yes", "key": KEY}
    if as_file:
        said = upload(browser, "/give-up", "/ending", paper(desk).encode(), **words)
    else:
        said = act(browser, "/give-up", "/ending", receipt=paper(desk), **words)
    assert said.status_code == 200, alert(said)
    assert KEY in said.text
    assert desk.fleet.store.door("Front").state is DoorState.RETIRED
    assert "is retired" in alert(set_hours(browser, **OPEN))
    for end in ("", "/hours", "/telling", "/joining", "/certificate", "/ending"):
        assert browser.get(page(desk, end)).status_code == 200


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"receipt": ""}, "choose the file"),
        ({"receipt": "no paper"}, "no receipt of a door in this"),
        ({"receipt": "other"}, "this receipt is of the door"),
        ({"receipt": "torn"}, "changed after the door signed it"),
        ({"key": "00" * 32}, "signed with another key"),
        ({"key": "x"}, "64 hexadecimal digits"),
        ({"name": "Back"}, "type its name"),
        ({"meant": ""}, "tick that you mean it"),
    ],
)
def test_no_door_is_given_up_without_its_own_receipt(desk: Desk, words: dict[str, str], why: str) -> None:
    whole = paper(desk)
    given = {"other": paper(desk, "00" * 8), "torn": torn(whole)}
    form = {"receipt": whole, "name": "Front", "meant": "yes", **words}
    form["receipt"] = given.get(form["receipt"], form["receipt"])
    said = act(desk.signed_in(), "/give-up", "/ending", **form)
    assert said.status_code == 400
    assert why in alert(said).lower()
    assert desk.fleet.store.door("Front").state is not DoorState.RETIRED


# ---- what cannot be undone


def test_a_place_is_ended_and_offered_anew_only_if_that_is_meant(desk: Desk) -> None:
    browser = desk.signed_in()
    path = page(desk)
    offer = {"slot": "12", "days": "14", "passphrase": PASSPHRASE}
    assert browser.send(f"{path}/offer", path, **offer).status_code == 200
    again = browser.send(f"{path}/offer", path, **offer)
    assert "was offered before and stands" in alert(again)
    assert 'name="meant"' in again.text
    assert browser.send(f"{path}/offer", path, **offer, meant="yes").status_code == 200
    end = {"slot": "12", "passphrase": PASSPHRASE}
    assert "tick that you mean it" in alert(browser.send(f"{path}/end", path, **end))
    assert browser.send(f"{path}/end", path, **end, meant="yes").status_code == 200
    desk.later(1)
    assert browser.send(f"{path}/offer", path, **offer).status_code == 200, "it had ended"


def test_seeded_fault_a_console_that_asks_nobody_ends_what_was_mistyped(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "meant", lambda *_words: None)
    monkeypatch.setattr(acting, "named", lambda *_words: None)
    said = act(desk.signed_in(), "/give-up", "/ending", receipt=paper(desk))
    assert said.status_code == 200
    assert desk.fleet.store.door("Front").state is DoorState.RETIRED
