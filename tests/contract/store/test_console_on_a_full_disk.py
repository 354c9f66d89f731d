"""A console whose disk is full: one sentence for each act, nothing lost, and the chain of acts whole."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from provisioning import timetable
from provisioning.store_pages import SqlPages
from tests.contract.sealing.images import Mounted, mounted
from tests.support.console import PASSPHRASE, Browser, Desk, alert, cheap

HOURS = {
    "zone": "Europe/Berlin",
    "s0-pin": "yes",
    "s0-card": "yes",
    **dict.fromkeys((f"s0-{day}" for day in timetable.DAYS), "00:00-24:00"),
}


@pytest.fixture
def disk() -> Iterator[Mounted]:
    with mounted("tmpfs", 4096) as small:
        yield small


@pytest.fixture
def desk(disk: Mounted, monkeypatch: pytest.MonkeyPatch) -> Desk:
    cheap(monkeypatch)
    return Desk(disk.point / "fleet")


def act(browser: Browser, end: str, at: str = "", **words: str) -> httpx.Response:
    path = f"/doors/{browser.desk.door.id}"
    return browser.send(path + end, path + at, passphrase=PASSPHRASE, meant="yes", **words)


def every_act(browser: Browser) -> dict[str, httpx.Response]:
    """What a manager may try, each once."""
    return {
        "offer": act(browser, "/offer", slot="12", days="14"),
        "end": act(browser, "/end", slot="7"),
        "hours": act(browser, "/hours", "/hours", **HOURS),
        "telling": act(browser, "/telling", "/telling", profile="building"),
        "label": act(browser, "/label", "/joining", days="14"),
        "place": act(browser, "/place", building="Haus", floor="1"),
        "retire": act(browser, "/retire", "/ending", hours="72", name="Front"),
        "door": browser.send("/doors", "/import", name="Side"),
        "doors": browser.send("/import", "/import", once="1", text="name\nA\nB\n"),
        "user": browser.send("/users", "/users", name="bob", role="viewer"),
    }


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_full_disk_is_one_sentence_and_nothing_is_lost(desk: Desk, disk: Mounted, language: str) -> None:
    browser = desk.signed_in()
    assert act(browser, "/offer", slot="7", days="14").status_code == 200
    browser.client.cookies.set("doorward-language", language)
    before = desk.fleet.store.doors(), desk.fleet.store.labels("Front"), desk.acts, desk.accounts.users.users()
    papers = {path.name: path.read_bytes() for path in desk.folder.glob("*.doc")}
    disk.fill()
    desk.later(120)  # what was seen of a session is to be noted again
    for name, said in every_act(browser).items():
        assert said.status_code in {400, 503}, (name, said.text)
        sentence = alert(said)
        assert ("is full; nothing was changed" if language == "en" else "已满") in sentence, (name, sentence)
        assert sentence.count("full" if language == "en" else "已满") == 1, (name, sentence)
    assert browser.get("/").status_code == 200, "looking goes on"
    stranger = Browser(desk)
    assert stranger.sign_in().status_code == 503
    after = desk.fleet.store.doors(), desk.fleet.store.labels("Front"), desk.acts, desk.accounts.users.users()
    assert after == before
    disk.empty()
    assert {path.name: path.read_bytes() for path in desk.folder.glob("*.doc")} == papers
    desk.later(60)
    good = every_act(browser)
    assert {name for name, said in good.items() if said.status_code >= 400} == set(), [alert(s) for s in good.values()]
    chain = SqlPages(desk.console.store).chain()
    assert chain.broken is None
    assert chain.acts > len(before[2])
