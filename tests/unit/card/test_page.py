"""No number stands on the page but by way of a figure; one that was typed is found out on the finished page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.card.figure import Figure, at_most, interval, percent, seconds
from tools.card.page import HERE, Untraced, check, figure

FIVE = Figure("five", "5", 5, "a log", "a place")
FIGURES = {"five": FIVE}


def _page(body: str) -> str:
    head = '<meta name="viewport" content="initial-scale=1"><style>p { margin: 3px }</style>'
    return f"<html><head>{head}</head>{body}</html>"


def test_a_marked_figure_is_let_through() -> None:
    check(_page(f"<h1>Of people</h1><p>{figure(FIVE)} of them</p>"), FIGURES)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<p>97 of them</p>", "comes from no log"),
        ("<p>a hundred<sup>2</sup></p>", "comes from no log"),
        ("<p>&#57;&#55; of them</p>", "comes from no log"),
        ("<p>٩٧ of them</p>", "comes from no log"),
        ('<p title="97 of them">some</p>', "comes from no log"),
        ('<p aria-label="97 of them">some</p>', "comes from no log"),
        ('<data value="5" data-key="six">5</data>', "nobody measured"),
        ('<data value="5" data-key="five">4</data>', "was measured"),
        ('<data value="4" data-key="five">5</data>', "another value"),
        ('<data value="5" data-key="five">5<b>7</b></data>', "was measured"),
        ('<style>p::after { content: "97" }</style>', "style"),
        ("<script>document.write(97)</script>", "script"),
        ("<p>five</div>", "not open"),
    ],
)
def test_what_comes_from_nowhere_is_found(body: str, said: str) -> None:
    with pytest.raises(Untraced, match=said):
        check(_page(body), FIGURES)


def test_the_template_holds_no_digit_between_its_tags() -> None:
    text = (HERE / "card.html.j2").read_text(encoding="utf-8")
    assert re.findall(r"\d", re.sub(r"<[^>]*>", "", text)) == []
    assert "content:" not in (HERE / "card.css").read_text(encoding="utf-8")


def test_the_page_asks_nothing_of_another_host() -> None:
    for name in ("card.html.j2", "card.css"):
        text = Path(HERE / name).read_text(encoding="utf-8")
        assert not re.search(r"https?:|url\(|@import|<link|<img", text)


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0011040111758120474, "0.12 %"),
        (0.0011, "0.11 %"),
        (0.2721, "27.3 %"),
        (0.273, "27.3 %"),
        (1.0, "100 %"),
        (0.0, "0 %"),
    ],
)
def test_a_bound_is_never_written_smaller_than_it_is(share: float, said: str) -> None:
    assert at_most(share) == said


def test_how_figures_are_written() -> None:
    assert percent(0.020108) == "2.0 %"
    assert percent(0.00041) == "0.041 %"
    assert interval(0.010249, 0.03519) == "1 to 3.6 %"
    assert interval(0.0, 1.0) == "0 to 100 %"
    assert interval(0.00253, 0.31) == "0.25 to 31 %"
    assert [seconds(value) for value in (10.0, 60.0, 600.0, 180.0, 90.0, 7200.0)] == [
        "10 s", "1 min", "10 min", "3 min", "90 s", "2 h",
    ]  # fmt: skip
