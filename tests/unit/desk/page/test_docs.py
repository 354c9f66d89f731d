"""What the pages for people say of 012 and the code is one thing in all of them, and what the code of the door does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from device.consent import LANGUAGES
from device.desk.page import guard, listening, pace, sittings
from device.desk.page.reception import ARMED_S
from device.desk.page.words import Words

ROOT = Path(__file__).parents[4]
WHERE = ("README.md", "docs/page.md", "docs/keypad.md", "docs/residents-guide.md")
ROW = "012#flat#PIN#code#"
MINUTES = {180.0: "three minutes", 600.0: "ten minutes"}


def plain(name: str) -> str:
    """A page as one line, without what marks keys."""
    return " ".join((ROOT / name).read_text("utf-8").replace("`", "").split())


def said(text: str) -> list[str]:
    """Every row of keys that begins with 012, as it is typed."""
    rows = re.findall(r"012 ?#(?: ?(?:flat|PIN|code|\d{6}) ?#)*", text)
    return sorted({row.replace(" ", "") for row in rows})


def wrong(text: str) -> list[str]:
    """What a page for residents says otherwise than the door does."""
    known = {"012#", ROW, f"012#flat#PIN#{sittings.ROOM}#"}
    missing = [part for part in ("012#", ROW) if part not in said(text)]
    strange = [row for row in said(text) if row not in known]
    return missing + strange + [words for words in (MINUTES[ARMED_S], "six digits") if words not in text]


@pytest.mark.parametrize("name", WHERE)
def test_every_page_says_the_same_of_012_and_the_code(name: str) -> None:
    assert wrong(plain(name)) == []


def test_another_row_or_another_time_would_be_noticed() -> None:
    text = plain("docs/keypad.md")
    for fault in (
        text.replace("012 # flat # PIN # code #", "012 # code # flat # PIN #"),
        text.replace("six digits", "four digits"),
        text.replace("ten minutes", "an hour"),
        text.replace(sittings.ROOM, "999999"),
    ):
        assert fault != text
        assert wrong(fault) != []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_times_are_those_of_the_door(language: str) -> None:
    assert (sittings.CODE_S, sittings.SITTING_S, ARMED_S) == (180.0, 600.0, 600.0)
    words = Words(language)
    assert {"en": "three minutes", "zh": "三分钟"}[language] in words("start.wait")
    assert {"en": "ten minutes", "zh": "十分钟"}[language] in words("error.closed")
    assert "good once, for three minutes" in plain("docs/keypad.md")


def test_the_figures_of_the_page_s_own_page_are_those_of_the_code() -> None:
    text = plain("docs/page.md")
    assert f"{pace.ALL_PER_S:.0f} requests a second of all strangers" in text
    assert f"{pace.SITTER_PER_S:.0f} of whoever sits" in text
    assert f"forms of {guard.MOST_BODY // 1024} KiB" in text
    assert f"{listening.MOST} lines, {listening.MOST_EACH} from one address" in text
    assert f"{sittings.MOST_WAITING} browsers wait, {sittings.MOST_EACH} from one address" in text
    assert f"the oldest line (after {listening.SURE_S:.0f} s) or code (after {sittings.SURE_S:.0f} s)" in text
    assert f"at each of {sittings.MOST_WAITING} to {2 * sittings.MOST_WAITING - 1} addresses" in text
