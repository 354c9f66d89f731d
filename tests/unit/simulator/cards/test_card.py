"""Whatever is sent to a card, it answers; and its keys are changed by nobody who has not proven one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.simulator.cards.terminal import AID, NTAG_NAME, OK, ZERO, Terminal, ask, at, h, native, ready
from tools.simulator.cards import store
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.commands import COMMANDS
from tools.simulator.cards.memory import Key, Kind, Mode
from tools.simulator.cards.messaging import Unprotected
from tools.simulator.cards.status import CardGone

CHIPS = [kind for kind in Kind if kind is not Kind.UID_ONLY]
INSTRUCTIONS = sorted({0xAF, *(ins for table in COMMANDS.values() for ins in table)})
FILES = {"f1": (0x1230, Mode.FULL, True), "f2": (0xEEEE, Mode.PLAIN, False), "f3": (0x2330, Mode.MAC, False)}

plausible = st.builds(
    native,
    st.sampled_from(INSTRUCTIONS),
    st.one_of(
        st.binary(max_size=60),
        st.builds(at, st.integers(0, 4), st.integers(0, 70), st.integers(0, 70)),
        st.sampled_from([b"", b"\x00", b"\x01\x00", AID, AID + b"\x0f\x85", bytes(33), bytes(41), at(2, 0, 2) + b"ab"]),
    ),
)
anything = st.one_of(st.binary(max_size=80), plausible, st.sampled_from([h(NTAG_NAME), h("FFCA000000")]))


def secrets_of(card: SimulatedCard) -> list[list[bytes]]:
    """The keys of every application that has others than a new one."""
    applications = [[key.value for key in each.keys] for each in card.memory.applications.values()]
    return [keys for keys in applications if any(key != ZERO for key in keys)]


def keyed(kind: Kind) -> SimulatedCard:
    """A card whose keys nobody guesses, its application selected."""
    card = ready(kind, **({} if kind is Kind.NTAG424 else FILES))
    application = next(iter(card.memory.applications.values()))
    application.keys = [Key(bytes([number]) * 16, 1) for number in range(1, 6)]
    return card


@pytest.mark.slow
@pytest.mark.parametrize("kind", CHIPS)
@settings(max_examples=150)
@given(st.lists(anything, max_size=12))
def test_no_apdu_ends_in_anything_but_an_answer_and_none_changes_a_key(kind: Kind, apdus: list[bytes]) -> None:
    card = keyed(kind)
    before = secrets_of(card)
    for apdu in apdus:
        answer = card.process(apdu)
        assert len(answer) >= 2
        assert answer[-2] in {0x90, 0x91, 0x67, 0x69, 0x6A, 0x6C, 0x6D, 0x6E}
        assert card._field.session.key_no is None
    assert secrets_of(card) == before
    assert store.decode(store.encode(card.memory)) == card.memory


def takes_a_new_key_from_anybody(kind: Kind) -> bool:
    card = keyed(kind)
    before = secrets_of(card)
    for command in (native(0xC4, bytes(33)), native(0xC4, bytes(41))):
        card.process(command)
    return secrets_of(card) != before


def test_that_test_would_find_a_card_that_takes_a_key_from_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not takes_a_new_key_from_anybody(Kind.NTAG424)
    monkeypatch.setattr("tools.simulator.cards.keys.may_change", lambda *_: None)
    monkeypatch.setattr("tools.simulator.cards.keys.require", lambda *_: None)
    monkeypatch.setattr(Unprotected, "new_key", lambda *_: Key())
    assert takes_a_new_key_from_anybody(Kind.NTAG424)


@pytest.mark.slow
@settings(max_examples=60)
@given(
    st.sampled_from([(Kind.DESFIRE_EV1, False), (Kind.DESFIRE_EV2, True)]),
    st.lists(st.sampled_from(["write", "commit", "abort", "key", "settings", "file", "junk"]), max_size=8),
    st.integers(0, 20),
    st.booleans(),
)
def test_a_power_cut_anywhere_leaves_a_file_that_loads(
    tmp_path_factory: pytest.TempPathFactory,
    chip: tuple[Kind, bool],
    steps: list[str],
    cut: int,
    lost: bool,
) -> None:
    kind, ev2 = chip
    path = tmp_path_factory.getbasetemp() / "cut.card"
    card = ready(kind, f1=(0x0000, Mode.FULL, True))
    card.save(path)
    terminal = Terminal(card)
    card.pull_away_after(cut, answer_lost=lost)
    try:
        terminal.authenticate(0, ev2=ev2)
        for step in steps:
            match step:
                case "write":
                    terminal.command(0x3D, at(1, 0, 4), b"door", Mode.FULL)
                case "commit":
                    terminal.command(0xC7, b"")
                case "abort":
                    terminal.command(0xA7, b"")
                case "key":
                    terminal.change_key(0, ZERO, 1, None)
                case "settings":
                    terminal.command(0x5F, b"\x01", h("030000"), Mode.FULL)
                case "file":
                    terminal.command(0xCD, h("02000000400000"))
                case _:
                    card.process(b"\x90\x00")
            if card._field.session.key_no is None:
                terminal.authenticate(0, ev2=ev2)
    except CardGone:
        pass
    again = SimulatedCard.load(path)
    assert again.memory == card.memory
    assert again.process(native(0x5A, AID)) == h(OK)
    assert Terminal(again).authenticate(0, ev2=ev2) == OK


@pytest.mark.parametrize("kind", list(Kind))
def test_the_reader_tells_the_number_of_every_card(kind: Kind) -> None:
    card = SimulatedCard.new(kind)
    assert card.process(h("FFCA000000")) == card.uid + h("9000")
    assert card.process(h("FFCA0000") + bytes([len(card.uid)])) == card.uid + h("9000")
    assert card.process(h("FFCA000003")) == bytes([0x6C, len(card.uid)])
    assert card.process(h("FFCA010000")) == h("6A81")
    assert card.process(h("FF00000000")) == h("6A81")
    assert card.uid[0] == 0x04 or kind is Kind.UID_ONLY


def test_a_card_with_a_number_only_tells_nothing_else() -> None:
    card = SimulatedCard.new(Kind.UID_ONLY, h("01020304"))
    for apdu in ("9060000000", NTAG_NAME, "90AA0000010000", "9071000002000000", "00B0000000"):
        assert ask(card, apdu) == "6A81"
    assert card.atr == h("3B8F8001804F0CA000000306030001000000006A")


@pytest.mark.parametrize(
    ("apdu", "word"),
    [
        ("", "6700"),
        ("9060", "6700"),
        ("90600000", "6700"),
        ("9060000001", "6700"),
        ("90AA00000200", "6700"),
        ("90AA00000100", "6700"),
        ("90AA0000000000000000", "6700"),
        ("9060010000", "919E"),
        ("8060000000", "6E00"),
        ("00B0000000", "6D00"),
        ("00A4040007D276000085010200", "6A82"),
        ("00A4080007D276000085010100", "6A86"),
    ],
)
def test_a_frame_that_is_none_is_refused(apdu: str, word: str) -> None:
    assert ask(ready(Kind.NTAG424), apdu) == word


def test_a_refused_selection_leaves_the_session() -> None:
    terminal = Terminal(ready(Kind.NTAG424))
    terminal.authenticate(0, ev2=True)
    assert ask(terminal.card, "00A4040007D276000085010200") == "6A82"
    assert terminal.command(0x51, b"", mode=Mode.FULL) == (terminal.card.uid, OK)
    assert ask(terminal.card, NTAG_NAME) == "9000"
    assert terminal.command(0x51, b"", mode=Mode.FULL)[1] == "91AE"


def test_a_desfire_has_no_application_of_that_name() -> None:
    assert ask(SimulatedCard.new(Kind.DESFIRE_EV2), NTAG_NAME) == "6A82"


def test_the_key_of_a_delivered_desfire_is_none_of_ours() -> None:
    card = SimulatedCard.new(Kind.DESFIRE_EV2)
    assert ask(card, "90AA0000010000") == "91AE"
    assert ask(card, "9071000002000000") == "91AE"
    assert ask(card, "90AA0000010100") == "9140"
    assert ask(card, "90640000010000") == "009100"


def test_every_try_has_a_random_number_of_its_own() -> None:
    card = ready(Kind.DESFIRE_EV1)
    challenges = set()
    for _ in range(20):
        challenges.add(card.process(native(0xAA, b"\x00"))[:16])
        card.process(native(0xAF, bytes(32)))
    assert len(challenges) == 20


def test_the_atr_is_what_a_reader_makes_of_an_iso_14443_4_card() -> None:
    atr = SimulatedCard.new(Kind.NTAG424).atr
    check = 0
    for byte in atr[1:]:
        check ^= byte
    assert (atr[:4], check) == (h("3B818001"), 0)


def test_a_card_without_a_file_needs_none(tmp_path: Path) -> None:
    card = SimulatedCard.new(Kind.DESFIRE_EV1)
    assert card.process(native(0xCA, AID + b"\x0f\x81")) == h(OK)
    card.save()
    assert list(tmp_path.iterdir()) == []
