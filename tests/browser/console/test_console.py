"""The manager's console in a real browser: every page, both languages, with and without JavaScript."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from provisioning import authority
from provisioning.certificates import new_key
from provisioning.users import Role
from tests.support.chromium import accessible, visit
from tests.support.console_site import PASSPHRASE, ROOT, Served, door, served, shoot
from tests.support.office import Office
from tests.support.site import Party, context_of, request_for, written

PAGES = ("/", "/alarms", "/plan", "/import", "/acts", "/users", "/account")
OF_A_DOOR = ("", "/hours", "/telling", "/joining", "/certificate", "/ending")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_is_accessible_and_quiet(browser: Browser, console: Served, language: str) -> None:
    with visit(browser, language=language) as visited:
        page = visited.page()
        page.goto(f"{console.url}/sign-in")
        accessible(page)
        assert page.locator("html").get_attribute("lang") == language
        shoot(page, f"sign-in-{language}")
        console.sign_in(page)
        for path in PAGES:
            page.goto(f"{console.url}{path}")
            accessible(page)
            shoot(page, (path.strip("/") or "doors") + f"-{language}")
        door(page, console, "Front door Lindenhof")
        at = page.url
        for end in OF_A_DOOR:
            page.goto(f"{at}{end}")
            accessible(page)
            shoot(page, f"door{end.replace('/', '-')}-{language}")
        visited.quiet()


def test_on_a_telephone_and_in_the_dark_it_is_accessible(browser: Browser, console: Served) -> None:
    with visit(browser, phone=True) as visited:
        page = visited.page()
        page.emulate_media(color_scheme="dark")
        console.sign_in(page)
        for path in PAGES:
            page.goto(f"{console.url}{path}")
            accessible(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        door(page, console, "Front door Lindenhof")
        at = page.url
        for end in OF_A_DOOR:
            page.goto(f"{at}{end}")
            accessible(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), end
        visited.quiet()


def offered(page: Page, console: Served, name: str, slot: str) -> str:
    door(page, console, name)
    form = page.locator("form[action$='/offer']")
    form.locator("input[name=slot]").fill(slot)
    form.locator("input[name=passphrase]").fill(PASSPHRASE)
    form.locator("button").click()
    return page.locator("#invitation").inner_text()


@pytest.mark.parametrize("javascript", [True, False])
def test_a_manager_offers_a_place_prints_the_sheet_and_ends_it(
    browser: Browser, console: Served, javascript: bool
) -> None:
    slot = "12" if javascript else "13"
    with visit(browser, javascript=javascript) as visited:
        page = visited.page()
        console.sign_in(page, Role.MANAGER)
        invitation = offered(page, console, "Cellar Lindenhof", slot)
        assert re.fullmatch(r"\d{4} \d{4} \d{4}", invitation)
        page.emulate_media(media="print")
        assert not page.locator(".noprint").first.is_visible()
        assert page.locator("#invitation").is_visible()
        if javascript:
            page.emulate_media(media="screen")
            accessible(page)
            shoot(page, "invitation-en")
        page.emulate_media(media="screen")
        with page.expect_download() as download:
            page.click("a[href^='/documents/']")
        assert download.value.path().read_bytes()[:4]
        door(page, console, "Cellar Lindenhof")
        assert f"{slot}" in page.locator("table").inner_text()
        page.locator("form[action$='/end'] input[name=slot]").fill(slot)
        page.locator("form[action$='/end'] input[name=passphrase]").fill(PASSPHRASE)
        page.locator("form[action$='/end'] input[name=meant]").check()
        page.locator("form[action$='/end'] button").click()
        assert f"Place {slot} at Cellar Lindenhof ends" in page.locator("h1").inner_text()
        door(page, console, "Cellar Lindenhof")
        assert "the place has ended" in page.locator("table").inner_text()
        visited.quiet()


def test_a_list_of_doors_is_looked_at_and_added(browser: Browser, console: Served, tmp_path: Path) -> None:
    bad, good = tmp_path / "bad.csv", tmp_path / "good.csv"
    bad.write_text("name,building,floor\nAnnex,Neubau,0\n=HYPERLINK(1),Neubau,0\n" + "x" * 70 + ",Neubau,1\nAnnex,,\n")
    good.write_text("name,building,floor\nAnnex,Neubau,0\nAnnex cellar,Neubau,-1\n", encoding="utf-8-sig")
    with visit(browser) as visited:
        page = visited.page()
        console.sign_in(page, Role.MANAGER)
        page.goto(f"{console.url}/import")
        page.set_input_files("input[type=file]", bad)
        page.click("text=Look at it")
        assert "3 of 4 rows cannot be added" in page.locator("[role=alert]").inner_text()
        accessible(page)
        shoot(page, "import-refused-en")
        page.set_input_files("input[type=file]", good)
        page.click("text=Look at it")
        page.click("text=Add 2 doors")
        assert "2 doors were added" in page.locator("h1").inner_text()
        accessible(page)
        page.goto(f"{console.url}/plan?building=Neubau")
        assert page.locator("svg text.label").all_text_contents() == ["0", "-1"]
        visited.quiet(besides="status of 400")
    assert {"Annex", "Annex cellar"} < {each.name for each in console.fleet.store.doors()}


@pytest.mark.parametrize(("language", "said"), [("en", "too long"), ("zh", "太长")])
def test_a_file_of_ten_megabytes_is_refused_on_a_page(
    browser: Browser, console: Served, tmp_path: Path, language: str, said: str
) -> None:
    large = tmp_path / "large.csv"
    large.write_text("name\n" + "A door with a name,\n" * 550_000)
    with visit(browser, language=language) as visited:
        page = visited.page()
        console.sign_in(page, Role.MANAGER)
        page.goto(f"{console.url}/import")
        page.set_input_files("input[type=file]", large)
        page.locator("form[enctype] button").click()
        assert said in page.locator("[role=alert]").inner_text()
        visited.quiet(besides="status of 413")


def test_a_label_and_a_new_user_are_printed_once(browser: Browser, console: Served) -> None:
    with visit(browser) as visited:
        page = visited.page()
        console.sign_in(page)
        door(page, console, "Roof Lindenhof")
        page.click("text=Joining")
        page.locator("form[action$='/label'] button").click()
        assert page.locator("pre").inner_text().startswith("DW1:")
        accessible(page)
        page.goto(f"{console.url}/users")
        page.fill("section input[name=name]", "grace")
        page.click("section button")
        assert page.locator("#secret").inner_text()
        accessible(page)
        page.goto(f"{console.url}/acts")
        assert "grace" in page.locator("table").inner_text()
        page.click("text=Follow the whole chain")
        assert "The chain is whole" in page.locator("[role=status].done").inner_text()
        visited.quiet()


def test_a_language_is_kept(browser: Browser, console: Served) -> None:
    with visit(browser) as visited:
        page = visited.page()
        console.sign_in(page, Role.VIEWER)
        page.click("button[lang=zh]")
        assert page.locator("h1").inner_text() == "门"
        page.goto(f"{console.url}/plan")
        assert page.locator("html").get_attribute("lang") == "zh"
        visited.quiet()


# ---- where it listens


def refused(folder: Path, *words: str) -> str:
    command = [sys.executable, "-m", "provisioning.cli", "serve", "--fleet", str(folder), *words]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 1
    assert "Traceback" not in said.stderr
    return said.stderr


def test_without_tls_it_listens_nowhere_but_here(console: Served, tmp_path: Path) -> None:
    for address in ("0.0.0.0", "192.0.2.1", "::", "example.org"):  # noqa: S104  # refused
        assert "ithout TLS the console listens on this computer alone" in refused(console.folder, "--listen", address)
    (tmp_path / "cert").write_text("nonsense")
    assert "name both" in refused(console.folder, "--cert", str(tmp_path / "cert"))
    both = ("--cert", str(tmp_path / "cert"), "--key", str(tmp_path / "cert"))
    assert "cannot be used" in refused(console.folder, *both)
    assert "--name HOST" in refused(console.folder, *both, "--listen", "0.0.0.0")  # noqa: S104  # refused
    port = console.url.rsplit(":", 1)[1]
    assert "cannot listen" in refused(console.folder, "--port", port)
    assert "no fleet" in refused(tmp_path / "nothing")


def test_over_tls_it_serves_with_cookies_of_its_own(browser: Browser, console: Served, tmp_path: Path) -> None:
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2"]
    subprocess.run(
        [*words, "-subj", "/CN=localhost", "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert")],
        check=True,
        capture_output=True,
    )
    with (
        served(console.folder, "--cert", str(tmp_path / "cert"), "--key", str(tmp_path / "key")) as secure,
        visit(browser) as visited,
    ):
        assert secure.url.startswith("https://")
        page = visited.page()
        secure.sign_in(page)
        kept = {str(cookie.get("name")): cookie for cookie in visited.context.cookies()}
        assert set(kept) == {"__Host-doorward-session", "__Host-doorward-device"}
        assert all(
            cookie["secure"] and cookie["httpOnly"] and cookie["sameSite"] == "Strict" for cookie in kept.values()
        )
        visited.quiet()


# ---- live


REPORT = {"v": 2, "kind": "report", "seq": 7, "sw": "0.1.0", "dropped": 0, "docs": 3, "count": None} | dict.fromkeys(
    ("lock", "camera", "vault", "keeper", "bolt", "storage", "cert"), True
)


def test_a_doors_report_and_its_alarm_change_the_row_while_it_is_looked_at(browser: Browser, office: Office) -> None:
    """Over the real broker, with the certificates that doorward makes."""
    made = office.done("door", "add", "Front", "--no-label")
    issuer = authority.opened(office.folder, PASSPHRASE)
    key, door_id = new_key(), str(made["id"])
    issued = issuer.issue_door(request_for(door_id, key), door_id, 7, office.now_unix)
    (office.root / "door.pem").write_bytes(issued.pem)
    (office.root / "door.key").write_bytes(written(key))
    files = office.root / "door.pem", office.root / "door.key"
    context = context_of((office.folder / "ca.pem").read_bytes(), *files)
    words = ("--broker", office.where.url, "--as", str(office.root / "watch"))
    with served(office.folder, *words) as console, visit(browser) as visited:
        page = visited.page()
        console.sign_in(page)
        page.wait_for_function("document.querySelector('footer').textContent.includes('Nothing that doors')")
        row = page.locator(f"[data-door='{door_id}']")
        assert row.locator("[data-live=health]").get_attribute("data-health") == "unknown"
        with Party(office, context, client_id=door_id) as sent:  # type: ignore[arg-type]  # an office has a port, too
            sent.say(f"doorward/{door_id}/report", json.dumps({**REPORT, "alarm": False}).encode())
            page.wait_for_selector(f"[data-door='{door_id}'] [data-health=well]")
            assert row.locator("[data-live=software]").inner_text() == "0.1.0"
            assert "3 / 0" in row.inner_text()
            sent.say(f"doorward/{door_id}/report", json.dumps({**REPORT, "bolt": False, "alarm": False}).encode())
            page.wait_for_selector(f"[data-door='{door_id}'] [data-health=unwell]")
            assert row.locator("[data-live=health]").inner_text() == "not well: bolt"
            for nonsense in (b"\xff", b"[]", b'{"lock": "<script>alert(1)</script>"}', b"{" * 3000):
                sent.say(f"doorward/{door_id}/report", nonsense)
            sent.say(f"doorward/{door_id}/alarm", json.dumps({"door": door_id, "reason": "x"}).encode())
            page.wait_for_selector(f"[data-door='{door_id}'] [data-health=alarm]")
            assert page.locator("[data-live-alarms]").inner_text().strip() == "(1)"
            assert page.locator("[data-live-count=attention]").inner_text() == "1"
            shoot(page, "alarm-en")
        page.goto(f"{console.url}/alarms")
        accessible(page)
        page.click("text=Looked at it")
        assert "No alarm that nobody has looked at" in page.locator("table").inner_text()
        visited.quiet()
    content = b"".join(path.read_bytes() for path in office.folder.glob("fleet.sqlite*"))
    assert b"0.1.0" not in content, "nothing of a report is stored"
