"""Every sentence in both languages; the notice word by word; the language a browser asks for."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from device.consent import LANGUAGES, terms_of
from device.desk.page import view
from device.desk.page.counter import Face
from device.desk.page.notice import meaning, shown
from device.desk.page.words import Words, tables, wanted
from device.wire import Hint, Purpose, Result
from tests.unit.desk.page.house import DOOR, House, browser, run

PAGE = Path(view.__file__).parent
ACTS = [each for each in Purpose if each.name != "PAGE"]


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_say_the_same_things_with_the_same_blanks() -> None:
    english, chinese = (tables(language) for language in ("en", "zh"))
    assert english.keys() == chinese.keys()
    for table, sentences in english.items():
        assert sentences.keys() == chinese[table].keys()
        for key, text in sentences.items():
            assert text.strip()
            assert blanks(text) == blanks(chinese[table][key]), key
            assert re.search(r"[\u4e00-\u9fff]", chinese[table][key]), f"{key} is not Chinese"
            assert not re.search(r"[\u4e00-\u9fff]", text), f"{key} is not English"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_hint_every_result_and_every_face_has_its_sentence(language: str) -> None:
    words = Words(language)
    assert len({words.hint(hint) for hint in Hint}) == len(Hint)
    for purpose in ACTS:
        assert words.ended(purpose, Result.DONE) == tables(language)["done"][purpose.name.lower()]
        for result in Result:
            assert words.ended(purpose, result)
            assert words.ended(purpose, result, again=True)
        assert words(f"act.title.{purpose.name}")
    for face in Face:
        assert words(f"face.{face.name}")


def test_every_sentence_is_used_and_every_one_that_is_used_is_there() -> None:
    code = "\n".join(path.read_text("utf-8") for kind in ("*.py", "templates/*.html") for path in PAGE.glob(kind))
    used = set(re.findall(r"""\b(?:t|words)\(\s*["']([a-z_.0-9A-Z]+\w)["']""", code))
    there = tables("en")["shown"].keys()
    assert used <= there
    formed = re.compile(r"(face|act|error|consent)\..+")
    assert not [key for key in there - used if not formed.fullmatch(key) and f'"{key}"' not in code]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_notice_on_the_screen_has_the_words_that_are_hashed_and_no_others(language: str) -> None:
    text = terms_of(DOOR, bytes(32)).notice.text(language)
    told = shown(text, language)
    said = [told.title]
    for block in told.blocks:
        said += [block.heading, *block.paragraphs, *(word for pair in block.terms for word in pair)]
        said += [f"- {item}" for item in block.items]
    assert "".join("".join(said).split()) == "".join(text.split())
    assert sum(len(block.terms) for block in told.blocks) >= 8, "the table was understood as one"
    assert len([block for block in told.blocks if block.heading and block.items]) == 3


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("de,en;q=0.5,zh;q=0.4", "en"),
        ("de-DE,fr", "en"),
        ("en;q=0.2,zh;q=0.7", "zh"),
        ("zh;q=0, en;q=0.1", "en"),
        ("ZH-TW", "zh"),
        (";;;,q=,zh;q=x,*", "en"),
        ("zh;q=nan,zh;q=7", "en"),
        ("," * 100_000 + "zh", "en"),
    ],
)
def test_the_language_that_a_browser_wants_most(asked: str, language: str) -> None:
    assert wanted(asked) == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_export_says_purpose_and_retention_in_the_words_of_the_notice(language: str) -> None:
    notice, words = shown(terms_of(DOOR, bytes(32)).notice.text(language), language), Words(language)
    for term in ("export.purpose", "export.retention"):
        assert meaning(notice, words(term)), f"the notice has no {words(term)}"
    assert meaning(notice, "no such term") == ""


ENGLISH = re.compile(r"(?:\b[A-Za-z]{2,} ){3,}")
PAGES = ("/", "/keys", "/notice", "/export", "/export.json", "/face/erase", "/face/enrol", "/face/again", "/no")


def english_in(text: str) -> list[str]:
    """Rows of English words in what a page shows."""
    return ENGLISH.findall(re.sub(r"<[^>]*>", " ", text.partition("<body")[2] or text))


@pytest.mark.exhaustive(1)
@pytest.mark.parametrize("face", [Face.NONE, Face.AWAKE, Face.OTHER_TERMS])
def test_a_page_in_chinese_is_in_chinese(face: Face) -> None:
    async def story() -> None:
        one = browser(House(face=face), **{"accept-language": "zh"})
        for sits in (False, True):
            if sits:
                await one.sit()
            for path in PAGES:
                assert english_in((await one.client.get(path)).text) == [], path
        other = browser(House(face=face), **{"accept-language": "en"})
        await other.sit()
        assert english_in((await other.client.get("/export")).text), "English would be found"

    run(story())
