"""What is begun, for whom, under which terms; how an act goes on and ends; and what failing parts lead to."""

from __future__ import annotations

import asyncio
import json
import re

import pytest
from nacl.signing import SigningKey

from device import attestation
from device.attestation import Receipt
from device.desk.page import errands, showing
from device.desk.page.counter import Face, Finished, Hinted, Paper, Phase
from device.desk.page.errands import Errands
from device.desk.page.sittings import ROOM
from device.strength import KeyPlace
from device.vault import record
from device.wire import Hint, Purpose, Result
from tests.unit.desk.page.house import Browser, House, browser, page, run, terms

RECEIPT = attestation.sign(
    Receipt(bytes(8), bytes(16), bytes(32), bytes(16), 20000, KeyPlace.FILE_HOST_KEY), SigningKey(bytes(32))
)


async def seated(face: Face = Face.NONE, language: str = "en") -> Browser:
    one = browser(House(face=face), **{"accept-language": language})
    await one.sit()
    return one


async def agrees(one: Browser, path: str = "/face/enrol", **form: str) -> str:
    answer = await one.post(path, answer="yes", **form)
    return str(answer.headers.get("location", answer.status_code))


def test_nothing_is_ticked_and_an_answer_with_something_missing_begins_nothing() -> None:
    async def story() -> None:
        one = await seated()
        text = (await one.client.get("/face/enrol")).text
        assert " checked" not in text
        assert text.index('name="answer" value="no"') < text.index('name="answer" value="yes"')
        hashed = terms().hash.hex()
        for form in (
            {"terms": hashed},
            {"terms": hashed, "agree": "yes"},
            {"terms": hashed, "whose": "adult"},
            {"terms": hashed, "whose": "somebody", "agree": "yes"},
            {"terms": hashed, "whose": "adult", "how": "bare", "agree": "no"},
            {"terms": hashed, "whose": "adult", "agree": "yes"},
            {"terms": hashed, "how": "bare", "agree": "yes"},
            {"terms": hashed, "whose": "adult", "how": "somehow", "agree": "yes"},
        ):
            where = await agrees(one, **form)
            assert where.startswith("/face/enrol?but=missing")
            assert 'role="alert"' in (await one.client.get(where)).text
        assert (
            await one.post("/face/enrol", answer="no", terms=hashed, whose="adult", how="bare", agree="yes")
        ).headers["location"] == "/"
        assert one.house.done == []

    run(story())


@pytest.mark.parametrize(("how", "covered"), [("bare", False), ("covered", True)])
@pytest.mark.parametrize(("whose", "child"), [("adult", False), ("child", True)])
def test_what_is_agreed_to_and_declared_is_what_was_shown(whose: str, child: bool, how: str, covered: bool) -> None:
    async def story() -> None:
        one = await seated()
        shown = await one.token("/face/enrol", "terms")
        assert shown == terms().hash.hex()
        assert (
            await agrees(one, terms="00" * 32, whose=whose, how=how, agree="yes")
            == f"/face/enrol?but=changed&whose={whose}&how={how}"
        )
        assert one.house.done == []
        assert await agrees(one, terms=shown, whose=whose, how=how, agree="yes") == "/act"
        await asyncio.wait_for(one.house.began.wait(), 10)
        assert one.house.done == [(one.sitting, Purpose.ENROL, terms().hash, child, covered, False)]

    run(story())


@pytest.mark.parametrize("face", Face)
def test_a_face_is_offered_where_there_is_none_renewed_where_it_sleeps_and_looked_at_again_where_it_may(
    face: Face,
) -> None:
    fits = {
        "/face/enrol": {Face.NONE},
        "/face/renew": {Face.OTHER_TERMS},
        "/face/again": {Face.AWAKE, Face.PAUSED},
    }

    async def story() -> None:
        one = await seated(face)
        home = (await one.client.get("/")).text
        for path, faces in fits.items():
            assert (await one.client.get(path)).status_code == (200 if face in faces else 303)
            assert (f'href="{path}"' in home) is (face in faces)

    run(story())


# ---- another sitting of a face that is kept

# Said of no other sitting: how it ends well, that somebody else is served, and what is of a first one or another act.
OF_OTHERS = {Result.DONE, Result.BUSY, Result.SLOT_TAKEN, Result.NOTHING_TO_DO}
WHOSE = {False: "adult", True: "child"}


HOW = {False: "bare", True: "covered"}


@pytest.mark.parametrize("covered", [False, True])
@pytest.mark.parametrize("child", [False, True])
def test_another_sitting_is_agreed_to_as_the_face_that_is_kept_was_declared(child: bool, covered: bool) -> None:
    async def story() -> None:
        one = browser(House(face=Face.AWAKE, under_14=child, covered=covered))
        await one.sit()
        text = (await one.client.get("/face/again")).text
        assert " checked" not in text
        assert text.index('name="answer" value="no"') < text.index('name="answer" value="yes"')
        assert ("parent or guardian of this child" in text) is child
        assert 'type="radio"' not in text, "what was declared is not asked anew"
        assert ("Mouth and nose stay covered while the camera looks" in text) is covered
        assert ("Nothing over mouth and nose while the camera looks" in text) is not covered
        assert "delete your face and enrol anew" in text, "for whoever wants to be known the other way"
        said = {"terms": terms().hash.hex(), "whose": WHOSE[child], "how": HOW[covered]}
        assert all(f'name="{name}" value="{value}"' in text for name, value in said.items())
        assert (await one.post("/face/again", answer="no", agree="yes", **said)).headers["location"] == "/"
        assert (await agrees(one, "/face/again", **said)).startswith("/face/again?but=missing.agree")
        others = ({"whose": WHOSE[not child]}, {"whose": "somebody"}, {"how": HOW[not covered]}, {"how": "somehow"})
        for wrong in ({"terms": "00" * 32}, *others):
            assert (await agrees(one, "/face/again", **said | wrong, agree="yes")).startswith("/face/again?but=changed")
        assert one.house.done == []
        assert await agrees(one, "/face/again", **said, agree="yes") == "/act"
        await asyncio.wait_for(one.house.began.wait(), 10)
        assert one.house.done == [(one.sitting, Purpose.ENROL, terms().hash, child, covered, True)]

    run(story())


@pytest.mark.parametrize("covered", [False, True])
@pytest.mark.parametrize(
    ("face", "sittings", "why"),
    [
        (Face.AWAKE, showing.MOST_SITTINGS, "as many sittings as a face may have"),
        (Face.PAUSED, showing.MOST_SITTINGS, "as many sittings as a face may have"),
        (Face.OTHER_TERMS, 1, "first agree to the notice as it is now"),
    ],
)
def test_what_vault_would_refuse_is_not_offered_and_the_page_says_why(
    face: Face, sittings: int, why: str, covered: bool
) -> None:
    async def story() -> None:
        one = browser(House(face=face, sittings=sittings, covered=covered))
        await one.sit()
        home = (await one.client.get("/")).text
        assert 'href="/face/again"' not in home
        assert why in home
        assert (await one.client.get("/face/again")).headers["location"] == "/"
        form = {"terms": terms().hash.hex(), "whose": "adult", "how": HOW[covered], "agree": "yes"}
        assert (await agrees(one, "/face/again", **form)).startswith("/face/again?but=changed")
        assert one.house.done == []

    run(story())


def test_the_page_counts_sittings_as_vault_does() -> None:
    assert showing.MOST_SITTINGS == record.MOST_SITTINGS


@pytest.mark.parametrize("face", [face for face in Face if face not in (Face.AWAKE, Face.PAUSED)])
def test_no_other_sitting_is_begun_where_no_face_is_kept_that_it_fits(face: Face) -> None:
    """Whoever sends the form by hand, or deleted their face in another window since it was shown."""

    async def story() -> None:
        one = await seated(face)
        form = {"terms": terms().hash.hex(), "whose": "adult", "how": "bare", "agree": "yes"}
        assert (await agrees(one, "/face/again", **form)).startswith("/face/again?but=changed")
        assert one.house.done == []

    run(story())


def test_a_first_enrolment_is_never_another_sitting_and_another_one_never_the_first() -> None:
    async def story() -> None:
        one = await seated(Face.AWAKE)
        form = {"terms": terms().hash.hex(), "whose": "adult", "how": "bare", "agree": "yes"}
        assert await agrees(one, "/face/enrol", **form, again="yes") == "/act"
        await asyncio.wait_for(one.house.began.wait(), 10)
        assert [again for *_, again in one.house.done] == [False], "the address says what is agreed to, no field does"

    run(story())


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("result", [result for result in Result if result not in OF_OTHERS])
def test_whatever_goes_wrong_with_another_sitting_the_page_says_that_the_face_is_as_it_was(
    result: Result, language: str
) -> None:
    async def story() -> None:
        one = await seated(Face.AWAKE, language)
        one.house.steps[Purpose.ENROL] = [Finished(result)]
        form = {"terms": terms().hash.hex(), "whose": "adult", "how": "bare", "agree": "yes"}
        assert await agrees(one, "/face/again", **form) == "/act"
        await asyncio.wait_for(one.house.began.wait(), 10)
        text = re.sub(r"<[^>]*>", " ", (await one.client.get("/act")).text)
        same = ("as it was", "Nothing was changed", "whole or not at all", "nothing of anybody is kept")
        zh = ("保持原样", "什么都没有改变", "要么全部完成", "不再保存任何人")
        assert any(words in text for words in (same if language == "en" else zh)), text
        assert "nothing was stored" not in text.lower()

    run(story())


def test_of_how_many_sittings_a_face_is_made_is_shown_and_taken_along() -> None:
    async def story() -> None:
        for sittings, said in ((1, "5 pictures, none"), (3, "15 pictures of 3 sittings, none")):
            one = browser(House(face=Face.AWAKE, sittings=sittings))
            await one.sit()
            assert said in (await one.client.get("/")).text
            assert (await one.client.get("/export.json")).json()["face"]["sittings"] == sittings

    run(story())


def test_a_deletion_needs_both_answers_of_the_same_sitting() -> None:
    async def story() -> None:
        one = await seated(Face.AWAKE)
        one.house.steps[Purpose.ERASE] = [Paper(RECEIPT), Finished(Result.DONE)]
        token = await one.token("/face/erase")
        for sure in ("", token, "0" * 32):
            answer = await one.post("/face/erase/sure", sure=sure)
            assert answer.status_code == 403
            assert (await one.client.get("/face/erase/sure", params={"sure": sure})).status_code == 303
        assert one.house.done == []
        second = (await one.post("/face/erase")).headers["location"]
        sure = await one.token(second, "sure")
        assert (await one.post("/face/erase/sure", sure=sure)).headers["location"] == "/act"
        assert [purpose for _, purpose, *_ in one.house.done] == [Purpose.ERASE]
        text = (await one.client.get("/act")).text
        assert "Your face is erased." in text
        assert "<svg" in text
        paper = await one.client.get("/paper.txt")
        assert "attachment" in paper.headers["content-disposition"]
        assert attestation.read(paper.text).paper == attestation.verify(RECEIPT).paper

    run(story())


def test_the_paper_is_for_the_sitting_that_asked_and_gone_with_it() -> None:
    async def story() -> None:
        house = House(face=Face.AWAKE)
        app = page(house)
        one, other = browser(house, app), browser(house, app)
        house.steps[Purpose.ERASE] = [Paper(RECEIPT), Finished(Result.DONE)]
        await one.sit()
        await other.sit()
        second = (await one.post("/face/erase")).headers["location"]
        await one.post("/face/erase/sure", sure=await one.token(second, "sure"))
        assert (await one.client.get("/paper.txt")).status_code == 200
        assert (await other.client.get("/paper.txt")).status_code == 404
        assert (await other.client.get("/act")).headers["location"] == "/"
        sitting = one.sitting
        await one.post("/leave")
        one.client.cookies.set("__Host-sitting", sitting)
        house.phases[sitting] = Phase.OPEN  # even then
        assert (await one.client.get("/paper.txt")).status_code == 404

    run(story())


def test_a_paper_that_no_door_signed_is_not_handed_out() -> None:
    async def story() -> None:
        one = await seated(Face.AWAKE)
        one.house.steps[Purpose.ERASE] = [Paper(RECEIPT[:-1] + b"x"), Finished(Result.DONE)]
        second = (await one.post("/face/erase")).headers["location"]
        await one.post("/face/erase/sure", sure=await one.token(second, "sure"))
        assert "The door gave no receipt of erasure for it." in (await one.client.get("/act")).text
        assert (await one.client.get("/paper.txt")).status_code == 404

    run(story())


def test_the_hints_come_as_words_and_the_end_ends_the_asking() -> None:
    async def story() -> None:
        one = await seated(language="zh")
        one.house.steps[Purpose.ENROL] = [Hinted(Hint.COME_CLOSER), Hinted(Hint.CONFIRM_WITH_PIN)]
        one.house.hangs = True
        assert (await one.client.get("/act.json")).json() == {"done": True}
        assert await agrees(one, terms=terms().hash.hex(), whose="adult", how="bare", agree="yes") == "/act"
        told = (await one.client.get("/act.json")).json()
        while not told["confirm"]:
            await asyncio.sleep(0)
            told = (await one.client.get("/act.json")).json()
        assert set(told) == {"done", "step", "hint", "confirm"}, "words, and never a picture or a score"
        assert told["hint"].startswith("镜头看到了一张脸")
        assert (await one.post("/face/pause")).headers["location"] == "/act"
        assert [purpose for _, purpose, *_ in one.house.done] == [Purpose.ENROL], "one act at a time"
        await one.post("/act/stop")
        assert one.house.ended_early == [Purpose.ENROL], "the door hears that nobody listens any more"
        assert "已按您的意愿停止" in (await one.client.get("/act")).text

    run(story())


def test_leaving_ends_what_is_under_way() -> None:
    async def story() -> None:
        one = await seated()
        one.house.steps[Purpose.ENROL], one.house.hangs = [Hinted(Hint.NOBODY)], True
        await agrees(one, terms=terms().hash.hex(), whose="adult", how="bare", agree="yes")
        await asyncio.wait_for(one.house.began.wait(), 10)
        await one.post("/leave")
        assert one.house.ended_early == [Purpose.ENROL]

    run(story())


def test_an_enrolment_that_nobody_looks_at_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "_LOOK_S", 0.001)
    now_s, looked = 1000.0, asyncio.Event()

    def clock() -> float:
        looked.set()
        return now_s

    async def story() -> None:
        nonlocal now_s
        house = House(hangs=True, steps={Purpose.ENROL: [Hinted(Hint.NOBODY)]})
        house.phases["one"] = Phase.OPEN
        acts = Errands(house, clock)
        act = acts.begin("one", Purpose.ENROL, terms().hash)
        assert act is not None
        for _ in range(20):
            now_s += errands.UNSEEN_S - 1
            assert acts.of("one") is act, "somebody looks"
            looked.clear()
            await asyncio.wait_for(looked.wait(), 10)
            assert act.running
        now_s += errands.UNSEEN_S + 1
        assert await act.finished(5)
        assert act.stopped
        assert house.ended_early == [Purpose.ENROL]

    run(story())


def test_an_act_that_is_over_never_counts_as_a_fault() -> None:
    """DONE is 0: an act that ended well was once told as one that failed."""

    async def story() -> None:
        for purpose, words in ((Purpose.PAUSE, "Your face rests"), (Purpose.RESUME, "Your face is awake again.")):
            one = await seated(Face.PAUSED if purpose is Purpose.RESUME else Face.AWAKE)
            await one.post(f"/face/{purpose.name.lower()}")
            assert words in (await one.client.get("/act")).text

    run(story())


@pytest.mark.exhaustive(5)
@pytest.mark.parametrize("result", [each for each in Result if each is not Result.DONE])
def test_every_other_end_is_told_in_its_own_words_and_gives_no_paper(result: Result) -> None:
    async def story() -> None:
        one = await seated(Face.AWAKE)
        one.house.steps[Purpose.PAUSE] = [Finished(result)]
        await one.post("/face/pause")
        text = (await one.client.get("/act")).text
        assert "Your face rests" not in text
        assert "BEGIN DOORWARD" not in text

    run(story())


def test_vault_away_is_one_sentence_with_pin_and_card_in_it_and_no_way_in() -> None:
    async def story() -> None:
        one = await seated(Face.AWAKE)
        one.house.away = True
        for path in ("/", "/export", "/face/erase"):
            answer = await one.client.get(path)
            assert answer.status_code == 503
            assert "PIN and card work" in answer.text

    run(story())


def test_a_sitting_that_is_over_leads_to_the_start_and_shows_nothing() -> None:
    async def story() -> None:
        one = await seated(Face.AWAKE)
        sitting = one.sitting
        await one.client.get("/")
        one.house.phases[sitting] = Phase.ENDED
        for path in ("/export", "/export.json", "/face/erase", "/act", "/paper.txt"):
            answer = await one.client.get(path)
            assert answer.headers["location"] == "/"
        assert (await one.client.get("/act.json")).json() == {"done": True}
        answer = await one.client.get("/")
        assert "Your time at this page is over." in answer.text
        assert one.sitting != sitting

    run(story())


def test_a_code_that_is_no_longer_good_is_replaced_and_the_screen_says_so() -> None:
    async def story() -> None:
        one = browser(House())
        first = (await one.client.get("/")).text
        sitting = one.sitting
        assert 'role="status"' not in first
        assert (await one.client.get("/")).text == first, "looking again shows the same"
        one.house.phases[sitting] = Phase.ENDED
        again = (await one.client.get("/")).text
        assert "Your earlier code is not good any more." in again
        assert "Your time at this page is over." not in again, "nobody sat there"
        assert one.sitting != sitting

    run(story())


def test_what_is_shown_of_somebody_leaves_the_screen_when_their_time_is_over() -> None:
    async def story() -> None:
        one = await seated(Face.AWAKE)
        for path in ("/", "/export", "/face/erase"):
            seconds, where = (await one.client.get(path)).headers["refresh"].split("; url=")
            assert 490 <= int(seconds) <= 502
            assert where == "/"
        assert "refresh" not in (await one.client.get("/keys")).headers

    run(story())


def test_what_nobody_foresaw_is_one_sentence_here_and_its_place_in_the_journal(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def story() -> None:
        one = await seated()

        async def broken(sitting_id: str) -> Phase:
            raise RuntimeError(sitting_id)

        one.house.phase = broken  # type: ignore[method-assign]  # for one test
        answer = await one.client.get("/")
        assert answer.status_code == 500
        assert "Something in the door’s page went wrong." in answer.text
        told = capfd.readouterr().err
        assert "RuntimeError" in told
        assert one.sitting not in told
        assert one.sitting not in answer.text

    run(story())


def test_nine_browsers_wait_and_the_ninth_is_told_to_come_again() -> None:
    async def story() -> None:
        house = House()
        app = page(house)
        for _ in range(8):
            assert (await browser(house, app).client.get("/")).status_code == 200
        answer = await browser(house, app).client.get("/")
        assert answer.status_code == 503
        assert "set-cookie" not in answer.headers
        assert "as soon as there is room" in answer.text
        assert "data-again=" in answer.text, "it looks again by itself"
        typed = "".join(re.findall(r"<(?:kbd|var)>(.*?)<", answer.text))
        assert typed == f"012#flat#PIN#{ROOM}#", "what makes room at the keypad"

    run(story())


def test_the_export_names_what_is_held_and_nothing_of_anybody_else() -> None:
    async def story() -> None:
        for face in Face:
            one = await seated(face)
            told = json.loads((await one.client.get("/export.json")).text)
            assert told["face"]["state"] == face.name.lower()
            assert told["history"] == []
            assert told["recipients"] == []
            has = face not in (Face.NONE, Face.UNREADABLE)
            assert (told["face"]["terms_agreed_to"] is not None) is has
            assert (told["face"]["enrolled_day"] == 20000) is has

    run(story())


@pytest.mark.parametrize(
    "cookie", ["", "x", "A" * 42, "A" * 44, "A" * 43, "../" * 14 + "a", "%00" * 14 + "a", "é" * 43, '"' * 43]
)
def test_a_cookie_that_is_none_gets_the_start_and_a_code_of_its_own(cookie: str) -> None:
    async def story() -> None:
        one = browser(House())
        answer = await one.client.get("/", headers=[(b"cookie", b"__Host-sitting=" + cookie.encode())])
        assert answer.status_code == 200
        assert "__Host-sitting=" in answer.headers["set-cookie"]
        said = answer.headers["set-cookie"].lower()
        assert all(word in said for word in ("secure", "httponly", "samesite=strict", "path=/"))
        assert "domain" not in said

    run(story())


def test_the_same_code_is_shown_until_it_ends_and_never_a_second_one_beside_it() -> None:
    async def story() -> None:
        one = browser(House())
        first = (await one.client.get("/")).text
        code = first.partition('translate="no">')[2][:7]
        assert (await one.client.get("/")).text.partition('translate="no">')[2][:7] == code
        assert len(one.house.phases) == 1

    run(story())
