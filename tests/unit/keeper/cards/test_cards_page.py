"""What docs/cards.md states byte by byte is what the code does."""

from __future__ import annotations

import ast
import hashlib
import re
from pathlib import Path

import pytest
from nacl import bindings

from device.keeper.cards.content import MARK_BYTES, pack_counter, pack_place, unpack_mark
from device.keeper.cards.counters import FORM, PAGE_BYTES, ROOM, Counters, Kept
from device.keeper.cards.diversify import CardKeys
from device.keeper.cards.exchange import MOST_STEPS
from device.keeper.cards.registered import CardKind, Registered, pack
from device.keeper.pages import OVERHEAD_BYTES
from device.keeper.pin import derive

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "cards.md").read_text(encoding="utf-8")
KEEPER_KEY = bytes(range(0x40, 0x60))
UID = bytes.fromhex("04782e21801d80")
KEYS = CardKeys(derive(KEEPER_KEY, b"doorward cards")[:16], bytes.fromhex("00112233445566aa"))
COUNTS_KEY = derive(KEEPER_KEY, b"doorward counts")
CARDS = {77: Kept(41, pending=False), 78: Kept(6, pending=True)}


def stated(what: str) -> str:
    """The value in the row of a table that begins with `what`."""
    found = re.search(rf"^\| {re.escape(what)}[^|]*\| ([^|]+) \|$", PAGE, re.MULTILINE)
    assert found, what
    return found[1]


def blocks() -> list[str]:
    return ["".join(block.split()) for block in re.findall(r"```text\n([0-9a-f\n]+)```", PAGE)]


def sealed_page() -> bytes:
    bound, nonce = b"DWCT\x01\x01\0\0", bytes(range(24))
    inside = ((9).to_bytes(8, "little") + FORM.pack(CARDS)).ljust(PAGE_BYTES - OVERHEAD_BYTES + 8, b"\0")
    box = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(inside, bound, nonce, COUNTS_KEY)
    return bound + nonce + bytes(box)


def test_the_keys_are_as_stated() -> None:
    assert stated("card master key") == KEYS.master.hex()
    assert stated("key of the counters' file") == COUNTS_KEY.hex()
    assert stated("key 0 on a DESFire card") == KEYS.key(CardKind.DESFIRE_EV1, UID, 77).hex()
    assert stated("key 0 on a DESFire card") == KEYS.key(CardKind.DESFIRE_EV2, UID, 77).hex()
    assert stated("key 0 on an NTAG 424 DNA") == KEYS.key(CardKind.NTAG_424, UID, 77).hex()
    assert stated("AID as sent") == KEYS.aid.hex()


def test_what_stands_on_a_card_is_as_stated() -> None:
    assert f"`{pack_counter(77, 41).hex()}`" in PAGE
    mark = pack_place(77) + pack_place(78)
    assert f"`{mark.hex()}`" in PAGE
    assert f"### Mark, {MARK_BYTES} bytes" in PAGE
    assert unpack_mark(mark) == (77, 78)


def test_the_cards_of_a_slot_are_as_stated() -> None:
    assert blocks()[0] == pack((Registered(CardKind.DESFIRE_EV2, UID, 77),)).hex()


def test_the_counters_file_is_as_stated_and_read_that_way(tmp_path: Path) -> None:
    page = sealed_page()
    assert blocks()[1] == ((9).to_bytes(8, "little") + FORM.pack(CARDS)).hex()
    assert stated("first 64 bytes") == page[:64].hex()
    assert stated("last 16 bytes") == page[-16:].hex()
    assert stated("sha256 of all 40960") == hashlib.sha256(page).hexdigest()
    (tmp_path / "cards").write_bytes(bytes(PAGE_BYTES) + page)
    counters = Counters(tmp_path / "cards", COUNTS_KEY)
    counters.load()
    counters.close()
    assert {serial: counters.get(serial) for serial in CARDS} == CARDS


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    assert f"at most {MOST_STEPS} steps" in PAGE
    assert f"0 to {ROOM}" in PAGE
    assert f"Two pages of {PAGE_BYTES} bytes" in PAGE


def imports(path: Path) -> set[str]:
    """The modules that a file names at its top."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


@pytest.mark.slow
def test_one_module_alone_loads_a_library_for_aes() -> None:
    using = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "device").rglob("*.py")
        if any(name.startswith(("cryptography.hazmat.primitives.ciphers", "Crypto")) for name in imports(path))
    }
    assert using == {"device/keeper/cards/aes.py"}


@pytest.mark.slow
@pytest.mark.parametrize("room", ["eye", "vault", "lock"])
def test_rooms_without_cards_and_certificates_load_no_library_for_them(room: str) -> None:
    for path in (ROOT / "device" / room).rglob("*.py"):
        assert not {name for name in imports(path) if name.split(".")[0] in {"cryptography", "Crypto"}}, path


@pytest.mark.parametrize("module", ["registered", "counters"])
def test_a_door_without_a_reader_loads_none(module: str) -> None:
    reached, todo = set(), {f"device.keeper.cards.{module}"}
    while todo:
        name = todo.pop()
        path = ROOT / (name.replace(".", "/") + ".py")
        if name in reached or not path.is_file():
            continue
        reached.add(name)
        todo |= {found for found in imports(path) if found.startswith("device.")}
    assert "device.keeper.cards.registered" in reached
    assert "device.keeper.cards.aes" not in reached
