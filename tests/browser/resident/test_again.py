"""A resident comes back on another day: another sitting is offered and joined, or the face stays as it was."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page, expect

from device.desk.page.words import Words
from device.edges import Room
from tests.browser.resident.conftest import PIN, WAIT_MS, At, fine
from tests.integration.door.test_covered import BLACK, wearing
from tests.support.chromium import Visit
from tests.support.door import EACH_A_SAMPLE, another_picture, folder_of, resident_pictures, stranger_pictures
from tools.portraits import portrait

OFFER = "Read what another sitting means"


def another_day() -> tuple[Path, Path]:
    """The resident of `resident_pictures`, as nobody has enrolled them."""
    return another_picture(), portrait("obama3.jpg", zoom=1.5)


def kept(at: At) -> dict[str, bytes]:
    """What lies sealed in vault's folder."""
    return {path.name: path.read_bytes() for path in at.home.records(Room.VAULT)}


def begins_again(at: At, page: Page, pictures: Sequence[Path]) -> None:
    """From one's own page to the camera, with the keyboard alone."""
    page.goto(at.url)
    page.get_by_role("link", name=OFFER).focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Look once more, on another day")
    page.get_by_label("I have read the notice above").focus()
    page.keyboard.press("Space")
    count = len(list(at.home.root.glob("again-*")))
    at.home.door.show(folder_of(at.home.root / f"again-{count}", pictures), fps=EACH_A_SAMPLE)
    page.get_by_role("button", name="I agree: go on").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Another sitting of your face")


def declines(page: Page) -> None:
    """From one's own page to the question, which is asked as fairly as the first one, and back with a no."""
    page.get_by_role("link", name=OFFER).click()
    assert page.locator("input:checked").count() == 0, "nobody agrees by default"
    assert page.locator("input[type=radio]").count() == 0, "what was declared of the face stays"
    no, yes = (page.get_by_role("button", name=name) for name in ("No: leave my face as it is", "I agree: go on"))
    looks = "e => { const s = getComputedStyle(e); return [s.backgroundColor, s.color, s.fontWeight, s.borderColor] }"
    assert no.evaluate(looks) == yes.evaluate(looks), "no answer looks like the right one"
    fine(page, "page-again")
    yes.click()
    expect(page.get_by_role("alert")).to_contain_text("or choose the other answer")
    fine(page)
    page.get_by_role("button", name="No: leave my face as it is").click()
    expect(page.locator("h1")).to_have_text("What this door holds about you")


def test_a_resident_looks_once_more_on_another_day_and_nothing_else_changes_the_face(
    at: At, telephone: Visit, tmp_path: Path
) -> None:
    page, flat = telephone.page(), 1
    at.sit(page, flat)
    assert page.get_by_role("link", name=OFFER).count() == 0, "no face is kept that it could be added to"
    at.enrol(page, flat)
    page.get_by_role("link", name="Back to your page").click()
    expect(page.get_by_text("The door never learns by itself")).to_be_visible()
    expect(page.get_by_text("3 pictures, none of them kept")).to_be_visible()
    fine(page)
    before = kept(at)

    declines(page)
    assert kept(at) == before

    begins_again(at, page, another_day())
    at.looks(page)
    expect(page.locator("#hint")).to_contain_text("The camera has seen a face.")
    expect(page.get_by_text("Until then your face stays as it is.")).to_be_visible()
    fine(page)
    page.get_by_role("button", name="Stop: I do not agree any more").click()
    expect(page.get_by_text("Nothing is added, and your face stays as it was.")).to_be_visible()
    at.home.types(f"01#{flat}#{PIN}#")  # what would have confirmed it confirms nothing any more
    assert kept(at) == before

    begins_again(at, page, stranger_pictures())
    at.looks(page)
    expect(page.get_by_text("This sitting is not enough like the face that is kept.")).to_be_visible(timeout=WAIT_MS)
    fine(page)
    assert kept(at) == before

    begins_again(at, page, another_day())
    at.looks(page)
    assert at.home.types(f"01#{flat}#{PIN}#").signal == "NOTED"
    expect(page.get_by_text("This sitting is added to your face")).to_be_visible(timeout=WAIT_MS)
    fine(page)
    after = kept(at)
    assert len(after) == 1
    assert after.keys().isdisjoint(before)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as a file").click()
    download.value.save_as(tmp_path / "record.txt")
    assert at.home.doorctl("consent", "verify", str(tmp_path / "record.txt")).code == 0

    page.get_by_role("link", name="Back to your page").click()
    expect(page.get_by_text("6 pictures of 2 sittings, none of them kept")).to_be_visible()
    page.goto(f"{at.url}/face/again?lang=zh")
    expect(page.locator("h1")).to_have_text(Words("zh")("again.title"))
    fine(page)
    telephone.quiet()


def test_who_enrolled_covered_looks_once_more_covered_and_is_not_asked_how_anew(
    at: At, telephone: Visit, tmp_path: Path
) -> None:
    def masked(*pictures: Path) -> list[Path]:
        found = []
        for picture in pictures:
            folder = tmp_path / str(len(list(tmp_path.iterdir())))
            folder.mkdir()
            found.append(wearing(BLACK, picture, folder))
        return found

    page, flat = telephone.page(), 2
    at.sit(page, flat)
    at.enrol(page, flat, masked(*resident_pictures()))
    page.get_by_role("link", name="Back to your page").click()
    page.get_by_role("link", name=OFFER).click()
    expect(page.get_by_text("Mouth and nose stay covered while the camera looks")).to_be_visible()
    expect(page.get_by_text("delete your face and enrol anew")).to_be_visible()
    assert page.locator("input[type=radio]").count() == 0, "it is known how this face comes"
    fine(page)
    before = kept(at)

    begins_again(at, page, another_day())
    at.looks(page)
    expect(page.get_by_text("a covered and a bare sitting are never put together")).to_be_visible(timeout=WAIT_MS)
    fine(page)
    assert kept(at) == before

    begins_again(at, page, masked(*another_day()))
    at.looks(page)
    assert at.home.types(f"01#{flat}#{PIN}#").signal == "NOTED"
    expect(page.get_by_text("This sitting is added to your face")).to_be_visible(timeout=WAIT_MS)
    page.get_by_role("link", name="Back to your page").click()
    expect(page.get_by_text("6 pictures of 2 sittings, none of them kept")).to_be_visible()
    telephone.quiet()
