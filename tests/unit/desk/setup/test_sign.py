"""The sign says what the running configuration says, and no picture of a door makes it say more."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.desk.setup import sign
from device.desk.setup.draft import Draft

DOOR = Draft().put("sign", contact="Office, 030 123")


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not {name for name, _ in attrs} - {"lang", "charset"}, "nothing is fetched from anywhere"

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_it_names_purpose_moment_range_retention_and_contact() -> None:
    told = sign.text(DOOR.config)
    for words in (
        "to open this door",
        "at most 10 seconds",
        "1.5 metres",
        "No picture is kept or sent",
        "Office, 030 123",
    ):
        assert words in told
    assert "1.5 米" in told
    assert "10 秒" in told


def test_the_range_follows_from_camera_view_and_least_eye_distance() -> None:
    # 640 px wide at 90 degrees: f = 320 px; eyes of 0.08 m are 16 px apart at 1.6 m.
    door = DOOR.put("sign", view_deg=90).put("eye", min_eye_distance_px=16)
    assert sign.range_m(door.config) == 1.6
    assert sign.range_m(door.put("eye", min_eye_distance_px=32).config) == 0.8


@given(st.floats(10, 170), st.floats(16, 400), st.integers(320, 4608))
def test_the_range_never_falls_short_of_where_a_face_is_still_large_enough(
    view: float, least: float, width: int
) -> None:
    door = DOOR.put("sign", view_deg=view).put("eye", min_eye_distance_px=least).put("camera", width_px=width)
    wider = DOOR.put("sign", view_deg=view).put("eye", min_eye_distance_px=least)
    assert sign.range_m(door.config) > 0
    assert width < 640 or sign.range_m(door.config) >= sign.range_m(wider.config)


def test_the_pin_is_named_where_it_is_asked_for_and_only_there() -> None:
    assert "The PIN is asked for as well." in sign.text(DOOR.config)
    assert "The PIN is asked for as well." not in sign.text(DOOR.put("lock", tier="face").config)


def test_a_door_without_a_camera_says_so_and_nothing_of_faces() -> None:
    told = sign.text(DOOR.put("camera", backend="none").config)
    assert "no camera" in told
    assert "face" not in told


@pytest.mark.parametrize("camera", ["picamera2", "none"])
def test_residents_are_told_of_their_page_where_it_has_an_address(camera: str) -> None:
    door = DOOR.put("camera", backend=camera)
    without = sign.text(door.config)
    assert "page" not in without
    assert "页面" not in without
    named = door.put("page", port=8443, name="door.local")
    told = sign.text(named.config)
    assert told.count("https://door.local:8443/") == 2, "in both languages"
    assert told.count("012 #") == 2
    assert [line for line in told.splitlines() if line not in without.splitlines()] == [
        line for line in told.splitlines() if "door.local" in line
    ]
    always = sign.text(named.put("page", always=True).config)
    assert always.count("https://door.local:8443/") == 2
    assert "012" not in always
    assert "https://door.local:8443/" in "".join(Tags(sign.page(named.config)).words)
    assert sign.text(door.put("page", port=8443).config) == without, "nobody could be told where it is"
    assert sign.text(door.put("page", port=443, address="192.168.1.20").config).count("https://192.168.1.20/") == 2
    assert "door.local" not in sign.text(named.put("lock", board="sim").config), "its port there is another one"


@given(st.text(st.characters(blacklist_categories=("C", "Z")), min_size=1, max_size=60))
def test_no_contact_becomes_markup(contact: str) -> None:
    page = Tags(sign.page(Draft().put("sign", contact=contact).config))
    assert set(page.tags) == {"html", "head", "meta", "title", "style", "body", "section", "h1", "p"}
    assert f"Questions: {contact}" in page.words
