"""Papers and messages: a pair that does not belong together is found, and so is a number that goes back."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from nacl.signing import SigningKey

from device import attestation
from device.attestation import ConsentRecord, Receipt
from device.report.envelope import SIZE
from device.strength import KeyPlace
from tools.soak import told
from tools.soak.ledger import Ledger
from tools.soak.messages import Messages
from tools.soak.papers import Papers

KEY = SigningKey(b"k" * 32)
CONSENT = ConsentRecord(b"d" * 8, b"c" * 16, 20_000, False, *(bytes([n]) * 32 for n in range(5)))
RECEIPT = Receipt(b"d" * 8, b"r" * 16, b"m" * 32, b"c" * 16, 20_001, next(iter(KeyPlace)))


def found(consent: bytes, receipt: bytes | None, *, named: bool | None = False) -> list[str]:
    wrong: list[str] = []
    papers = Papers(lambda _: named, wrong.append)
    papers.consented(7, consent)
    papers.erased(7, receipt)
    return wrong


def signed(paper: ConsentRecord | Receipt, key: SigningKey = KEY) -> bytes:
    return attestation.sign(paper, key)


def test_a_receipt_for_what_was_agreed_to_holds_and_is_looked_at_again() -> None:
    asked: list[bytes] = []
    wrong: list[str] = []

    def named(record: bytes) -> bool:
        asked.append(record)
        return False

    papers = Papers(named, wrong.append)
    papers.consented(7, signed(CONSENT))
    assert papers.hold() == 0
    papers.erased(7, signed(RECEIPT))
    assert papers.hold() == 1
    assert asked == [RECEIPT.record_id] * 2
    assert wrong == []


@pytest.mark.parametrize(
    ("receipt", "what"),
    [
        (signed(replace(RECEIPT, consent_id=b"x" * 16)), "another record"),
        (signed(RECEIPT, SigningKey(b"z" * 32)), "another key"),
        (signed(RECEIPT)[:-1] + b"\0", "not to be relied on"),
        (signed(CONSENT), "another kind"),
        (None, "no receipt"),
    ],
)
def test_fault_a_receipt_that_does_not_hold_is_found(receipt: bytes | None, what: str) -> None:
    (wrong,) = found(signed(CONSENT), receipt)
    assert what in wrong


@pytest.mark.parametrize("named", [True, None])
def test_fault_a_record_that_the_door_still_names_or_says_nothing_of_is_found(named: bool | None) -> None:
    (wrong,) = found(signed(CONSENT), signed(RECEIPT), named=named)
    assert "still names" in wrong


def test_a_paper_that_was_lost_on_the_way_is_missed_by_nobody() -> None:
    wrong: list[str] = []
    papers = Papers(lambda _: False, wrong.append)
    papers.consented(7, signed(CONSENT))
    papers.lost(7)
    papers.erased(7, signed(RECEIPT))
    assert (papers.hold(), wrong) == (0, [])


def message(run: str, number: int, more: str = "") -> bytes:
    return json.dumps({"run": run, "seq": number, "more": more}).encode().ljust(SIZE)


def test_messages_that_come_in_order_or_twice_are_well() -> None:
    heard = Messages()
    for run, number in (("a", 1), ("a", 2), ("a", 1), ("b", 1), ("a", 3), ("a", 3)):
        heard.heard("doorward/x/report", message(run, number))
    heard.heard("doorward/x/availability", b"online")
    assert (heard.reports, heard.wrong) == (6, [])


@pytest.mark.parametrize(
    ("second", "what"),
    [
        (message("a", 5)[:-1], "bytes instead of"),
        (message("a", 5, "else"), "one number"),
        (message("a", 4), "went back"),
    ],
)
def test_fault_a_message_that_should_not_have_come_is_found(second: bytes, what: str) -> None:
    heard = Messages()
    heard.heard("doorward/x/report", message("a", 5))
    heard.heard("doorward/x/alarm", second)
    (wrong,) = heard.wrong
    assert what in wrong


def test_messages_come_while_they_are_searched_for_secrets() -> None:
    heard = Messages()
    for number in range(3):
        heard.heard("doorward/x/report", message("a", number))

    def found_in(_: str) -> bool:
        heard.heard("doorward/x/report", message("a", heard.reports))  # as a door does that nobody asks
        return False

    day: Any = SimpleNamespace(
        ledger=Ledger(),
        journal=SimpleNamespace(leaking=(), unexplained=()),
        house=SimpleNamespace(listener=SimpleNamespace(messages=heard)),
        secrets=SimpleNamespace(found_in=found_in),
        memory=SimpleNamespace(lives=(), longest=tuple),
    )
    assert told.outcome(day).held
    assert heard.reports == 6
