"""docs/wiring.md against the code, as far as an OSDP reader goes."""

from __future__ import annotations

from pathlib import Path

import osdp

from device import config
from device.config.tables import LockTable
from device.lock import osdp_supervisor, reader_osdp
from device.lock.osdp_panel import KEY_BYTES

PAGE = (Path(__file__).parents[3] / "docs" / "wiring.md").read_text(encoding="utf-8")
SECTION = PAGE.split("## An OSDP reader\n", 1)[1].split("\n## ", 1)[0]
FLAT = " ".join(SECTION.split())


def test_the_example_is_a_door_with_such_a_reader() -> None:
    example = SECTION.split("```toml\n", 1)[1].split("```", 1)[0]
    table = config.parse('[door]\nid = "00112233445566ff"\n' + example).lock
    assert table.osdp
    assert (table.osdp_address, table.osdp_baud) == (LockTable().osdp_address, LockTable().osdp_baud)


def test_the_key_has_the_name_and_the_size_that_lock_wants() -> None:
    assert f"credential `{reader_osdp.KEY_NAME}`, as {KEY_BYTES} bytes" in FLAT
    assert f"--name={reader_osdp.KEY_NAME}" in FLAT
    assert f"openssl rand -hex {KEY_BYTES}" in FLAT


def test_the_page_says_after_how_long_a_line_is_down() -> None:
    assert f"after {osdp_supervisor.SILENT_S:.0f} seconds without an answer" in FLAT


def test_the_library_cannot_talk_to_cards_as_the_page_says() -> None:
    """If an update can, the page is to be written anew."""
    known = {name.lower() for kind in (osdp.Command, osdp.Event) for name in vars(kind)}
    assert not known & {"xwrite", "xwr", "xread", "xrd", "extended", "transparent", "smartcard", "apdu"}
    assert "cards over PC/SC, keypad and lights over OSDP" in FLAT
