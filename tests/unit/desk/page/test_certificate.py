"""The page's own certificate: made once, kept, replaced when it has to be; and `doorctl page`, which tells of it."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest
import zxingcpp
from click.testing import CliRunner, Result
from PIL import Image

from device.config.tables import PageTable
from device.desk.cli import cli
from device.desk.page import certificate
from device.errors import StoreFault

NOW = 1_800_000_000.0
DAY = 86400.0


def test_it_is_made_once_for_its_owner_alone_and_stays(tmp_path: Path) -> None:
    pem = certificate.file_of(tmp_path)
    first = certificate.ready(pem, "door.local", NOW)
    assert stat.S_IMODE(pem.stat().st_mode) == 0o600
    again = certificate.ready(pem, "door.local", NOW + 700 * DAY)
    assert certificate.fingerprint(again) == certificate.fingerprint(first)
    assert len(certificate.fingerprint(first)) == 32 * 3 - 1


@pytest.mark.parametrize("why", ["it ends soon", "another name", "torn", "another's key", "empty"])
def test_what_is_of_no_use_is_replaced_by_another_key(tmp_path: Path, why: str) -> None:
    pem = certificate.file_of(tmp_path)
    first = certificate.ready(pem, "door.local", NOW)
    name, now = "door.local", NOW
    match why:
        case "it ends soon":
            now += (certificate.DAYS - certificate.RENEW_DAYS + 1) * DAY
        case "another name":
            name = "192.168.1.20"
        case "torn":
            pem.write_bytes(pem.read_bytes()[:-40])
        case "another's key":
            certificate.ready(tmp_path / "other.pem", "door.local", NOW)
            key = (tmp_path / "other.pem").read_text().partition("-----BEGIN CERT")[0]
            pem.write_text(key + "-----BEGIN CERT" + pem.read_text().partition("-----BEGIN CERT")[2])
        case _:
            pem.write_bytes(b"")
    second = certificate.ready(pem, name, now)
    assert certificate.fingerprint(second) != certificate.fingerprint(first)
    assert second.public_key() != first.public_key()
    found = certificate.read(pem)
    assert found is not None
    assert certificate.fingerprint(found) == certificate.fingerprint(second)


def test_a_clock_of_the_past_replaces_nothing(tmp_path: Path) -> None:
    pem = certificate.file_of(tmp_path)
    first = certificate.ready(pem, "", NOW)
    assert certificate.fingerprint(certificate.ready(pem, "", 0.0)) == certificate.fingerprint(first)


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("a file where a folder should be")
    with pytest.raises(StoreFault):
        certificate.ready(certificate.file_of(tmp_path), "", NOW)


@pytest.mark.parametrize(
    ("page", "address"),
    [
        (PageTable(8443, name="door.local"), "https://door.local:8443/"),
        (PageTable(443, name="door.local"), "https://door.local/"),
        (PageTable(8443, "192.168.1.20"), "https://192.168.1.20:8443/"),
        (PageTable(8443, name="fe80::1"), "https://[fe80::1]:8443/"),
        (PageTable(8443), ""),
    ],
)
def test_the_address_as_people_type_it(page: PageTable, address: str) -> None:
    assert page.url == address


def doorctl(root: Path, page: str, *words: str) -> Result:
    settings = root / "etc/doorward/door.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(f'[door]\nid = "00112233445566ff"\n[lock]\nboard = "sim"\n{page}')
    return CliRunner().invoke(cli, ["page", *words], env={"DOORWARD_ROOT": str(root)})


def test_doorctl_tells_the_address_the_fingerprint_and_draws_a_code_that_a_telephone_reads(tmp_path: Path) -> None:
    made = certificate.ready(certificate.file_of(tmp_path / "var/lib/doorward/desk"), "door.local", NOW)
    drawn = tmp_path / "page.svg"
    said = doorctl(tmp_path, '[page]\nport = 8443\nname = "door.local"\n', "--qr", str(drawn), "--json")
    told = json.loads(said.stdout)
    assert told["url"] == "https://door.local:8443/"
    assert told["fingerprint"] == certificate.fingerprint(made)
    assert read_code(drawn.read_text()) == told["url"]
    again = doorctl(tmp_path, '[page]\nport = 8443\nname = "door.local"\n', "--qr", str(drawn))
    assert again.exit_code == 1
    assert "is not overwritten" in again.stderr


@pytest.mark.parametrize(
    ("page", "words", "told"),
    [
        ("", (), "This door has no page"),
        ("[page]\nport = 8443\n", ("--qr", "page.svg"), "neither a name nor an address"),
        ('[page]\nport = 8443\nname = "door.local"\n', ("--qr", "page.png"), "does not end in .svg"),
    ],
)
def test_what_cannot_be_told_or_drawn_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str, words: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    said = doorctl(tmp_path, page, *words)
    assert said.exit_code == 1
    assert told in said.stderr
    assert not list(tmp_path.glob("page.*"))


def read_code(svg: str) -> str:
    """What a reader of codes finds in segno's drawing: one path of horizontal strokes."""
    side = int(svg.partition('width="')[2].partition('"')[0]) // 4
    picture = Image.new("L", (side, side), 255)
    x = y = 0.0
    strokes = svg.rpartition(' d="')[2].partition('"')[0]
    for kind, first, second in re.findall(r"([Mmh])(-?[0-9.]+)(?: (-?[0-9.]+))?", strokes):
        if kind == "h":
            picture.paste(0, (int(x), int(y), int(x + float(first)), int(y) + 1))
        at = float(first) if kind == "M" else x + float(first)
        x, y = at, (y if kind == "h" else float(second) if kind == "M" else y + float(second))
    found = zxingcpp.read_barcode(picture.resize((side * 8, side * 8), Image.Resampling.NEAREST))
    return found.text if found else ""
