"""A door's next certificate, and its end before its time, in a real browser; the door talks over a real broker."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from playwright.sync_api import Browser, Page

from device import certificates as formats
from device.joining import claim_key
from provisioning import authority, joining, labels
from provisioning import fleet as fleets
from provisioning.labels import Plan
from provisioning.users import Role
from tests.support.board import Board
from tests.support.chromium import accessible, visit
from tests.support.console_site import PASSPHRASE, Served, door, served
from tests.support.office import Office
from tests.support.site import Party, context_of

FRONT = "Front"


def joined(office: Office, began_unix: int) -> tuple[Board, x509.Certificate]:
    """A door of this office that joined at `began_unix`, and its first certificate."""
    office.done("door", "add", FRONT, "--no-label")
    fleet, now_unix = fleets.open_fleet(office.folder), office.now_unix
    today = Plan.of(office.folder, office.where, 14, now_unix)
    made = labels.make(fleet, FRONT, Plan(began_unix, today.ends_unix, office.where, today.authority))
    board = Board.of(made.text())
    asked = joining.look(fleet, FRONT, board.asked.pack(claim_key(board.label.secret)), began_unix)
    approved = joining.approve(fleet, asked, authority.opened(office.folder, PASSPHRASE), began_unix)
    (office.root / "first.answer").write_bytes(approved.answer)
    return board, board.believes(office.root / "first.answer")


def at_the_broker(office: Office, board: Board, known: x509.Certificate) -> Party:
    """That door, as the broker knows it."""
    files = office.root / "door.pem", office.root / "door.key"
    files[0].write_bytes(known.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(formats.key_to_pem(board.key))
    context = context_of((office.folder / "ca.pem").read_bytes(), *files)
    door_id = board.label.door_id.hex()
    return Party(office, context, f"doorward/{door_id}/certificate", client_id=door_id)  # type: ignore[arg-type]  # an office has a port, too


def look(page: Page) -> None:
    """Axe finds nothing, and nothing is wider than the screen."""
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"


def send(page: Page, form: str, **fields: str) -> None:
    """Fill a form of this page, and press its button."""
    found = page.locator(form)
    for name, value in fields.items():
        found.locator(f"input[name={name}]").fill(value)
    found.locator("button").click()


def certificates(page: Page, console: Served) -> None:
    """Go to the door's certificates as people do."""
    door(page, console, FRONT)
    page.click("nav a[href$='/certificate']")


BY_FILE = "form[enctype][action$='/renew']"
BY_BROKER = "form:not([enctype])[action$='/renew']"
REVOKE = "form[action$='/revoke']"
LIST = "form[action$='/revoked-list']"


def test_the_next_certificate_is_made_from_a_file_for_the_doors_own_key_alone(
    browser: Browser, office: Office, tmp_path: Path
) -> None:
    board, first = joined(office, office.now_unix - 3600)
    stranger = Board(board.label, formats.new_key(), board.box)
    for who, by in (("stranger", stranger), ("door", board)):
        (tmp_path / f"{who}.request").write_bytes(by.asked.csr)
    with served(office.folder) as console, visit(browser) as visited:
        page = visited.page()
        console.sign_in(page, Role.MANAGER)
        certificates(page, console)
        look(page)
        assert page.locator(BY_BROKER).count() == 0, "without a broker no door has asked"
        page.locator(BY_FILE).locator("input[type=file]").set_input_files(tmp_path / "stranger.request")
        send(page, BY_FILE, passphrase=PASSPHRASE)
        assert "another key than it joined with" in page.locator("[role=alert]").inner_text()
        look(page)
        assert len(console.fleet.store.certificates(FRONT)) == 1
        page.locator(BY_FILE).locator("input[type=file]").set_input_files(tmp_path / "door.request")
        send(page, BY_FILE, passphrase="not the passphrase")
        assert "passphrase is wrong" in page.locator("[role=alert]").inner_text()
        assert len(console.fleet.store.certificates(FRONT)) == 1
        page.locator(BY_FILE).locator("input[type=file]").set_input_files(tmp_path / "door.request")
        send(page, BY_FILE, passphrase=PASSPHRASE)
        assert page.locator("h1").inner_text().startswith(f"{FRONT} has a certificate until")
        look(page)
        with page.expect_download() as download:
            page.click("a[href$='.answer']")
        following = board.believes(Path(download.value.path()))
        certificates(page, console)
        rows = page.locator("tbody tr")
        assert f"{following.serial_number:x}"[:16] in rows.first.inner_text().lower()
        assert "the present one" in rows.first.inner_text()
        assert rows.count() == 2
        visited.quiet(besides="status of 400")
    assert following.not_valid_after_utc > first.not_valid_after_utc


def test_a_door_that_asks_at_the_broker_is_answered_there(browser: Browser, office: Office) -> None:
    board, first = joined(office, office.now_unix - 3600)
    door_id = board.label.door_id.hex()
    words = ("--broker", office.where.url, "--as", str(office.root / "watch"))
    with (
        served(office.folder, *words) as console,
        visit(browser, phone=True) as visited,
        at_the_broker(office, board, first) as talking,
    ):
        talking.say(f"doorward/{door_id}/renew", board.asked.csr, retain=True)
        page = visited.page()
        console.sign_in(page, Role.MANAGER)
        certificates(page, console)
        for _ in range(100):
            if page.locator(BY_BROKER).count():
                break
            page.wait_for_timeout(100)
            page.reload()
        assert "The door asks for its next certificate." in page.locator("main").inner_text()
        look(page)
        send(page, BY_BROKER, passphrase=PASSPHRASE)
        assert "where the door fetches it" in page.locator("main").inner_text()
        look(page)
        talking.wait(lambda: len(talking.heard) > 0)
        answer = office.root / "next.answer"
        answer.write_bytes(talking.heard[-1][1])
        assert board.believes(answer).not_valid_after_utc > first.not_valid_after_utc
        certificates(page, console)
        assert page.locator(BY_BROKER).count() == 0, "it was answered"
        visited.quiet()


def test_a_stolen_door_is_revoked_its_list_taken_along_and_no_next_certificate_made(
    browser: Browser, office: Office, tmp_path: Path
) -> None:
    board, first = joined(office, office.now_unix - 3600)
    (tmp_path / "door.request").write_bytes(board.asked.csr)
    with served(office.folder) as console, visit(browser) as visited, visit(browser) as looks_only:
        page = looks_only.page()
        console.sign_in(page, Role.VIEWER)
        door(page, console, FRONT)
        page.goto(f"{page.url}/certificate")
        assert [page.locator(form).count() for form in (REVOKE, BY_FILE, LIST)] == [0, 0, 0]
        page = visited.page()
        console.sign_in(page, Role.MANAGER)
        certificates(page, console)
        send(page, REVOKE)
        assert page.locator(REVOKE).count() == 1, "the browser itself asks for the tick"
        page.locator(f"{REVOKE} input[name=meant]").evaluate("box => { box.required = false }")
        send(page, REVOKE, passphrase=PASSPHRASE)
        assert "tick that you mean it" in page.locator("[role=alert]").inner_text()
        assert not [each for each in console.fleet.store.certificates(FRONT) if each.revoked_unix]
        look(page)
        page.locator(f"{REVOKE} input[name=meant]").check()
        send(page, REVOKE, passphrase=PASSPHRASE)
        assert page.locator("h1").inner_text() == f"The certificates of {FRONT} have ended"
        look(page)
        with page.expect_download() as download:
            page.click("a[href='/documents/revoked.pem']")
        listed = x509.load_pem_x509_crl(Path(download.value.path()).read_bytes())
        assert listed.get_revoked_certificate_by_serial_number(first.serial_number) is not None
        page.click(f"text=Back to {FRONT}")
        assert "revoked on" in page.locator("tbody tr").first.inner_text()
        look(page)
        page.locator(BY_FILE).locator("input[type=file]").set_input_files(tmp_path / "door.request")
        send(page, BY_FILE, passphrase=PASSPHRASE)
        assert "was revoked" in page.locator("[role=alert]").inner_text()
        visited.quiet(besides="status of 400")
    assert len(console.fleet.store.certificates(FRONT)) == 1


def test_revoking_needs_neither_passphrase_nor_scripts_and_the_list_is_made_afterwards(
    browser: Browser, office: Office
) -> None:
    _board, first = joined(office, office.now_unix - 3600)
    with served(office.folder) as console, visit(browser, language="zh", phone=True, javascript=False) as visited:
        page = visited.page()
        console.sign_in(page, Role.MANAGER)
        certificates(page, console)
        page.locator(f"{REVOKE} input[name=meant]").check()
        send(page, REVOKE)
        assert page.locator("h1").inner_text() == f"{FRONT} 的证书已终止"
        assert page.locator("a[href='/documents/revoked.pem']").count() == 0, "no list without the passphrase"
        assert not (office.folder / "revoked.pem").exists()
        certificates(page, console)
        send(page, LIST, passphrase=PASSPHRASE)
        assert page.locator("h1").inner_text() == "撤销名单已制作"
        visited.quiet()
    listed = x509.load_pem_x509_crl((office.folder / "revoked.pem").read_bytes())
    assert listed.get_revoked_certificate_by_serial_number(first.serial_number) is not None
