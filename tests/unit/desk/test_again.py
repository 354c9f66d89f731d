"""`doorctl enrol --again`: another sitting of a face that is kept, asked about like the first."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from device import wire
from device.desk import cli, sentences
from device.edges import Room
from device.wire import Purpose
from device.wire import Result as WireResult
from tests.unit.desk.house import nonce, open_desk
from tests.unit.desk.papers import signs

FOREVER_NS = 2**62
SENTENCE = r"[A-Z](?![^\n]*[.!?] [A-Z])[^\n]*[.!?)]"  # one
# A vault ends no other sitting with these: they are of a first one, of another act, or of what is under way.
NEVER = {WireResult.DONE, WireResult.SLOT_TAKEN, WireResult.NOTHING_TO_DO, WireResult.CONFIRM}


@dataclass
class Vault:
    """A robot that does what it is told, and ends with `result`; `orders`: what it was told."""

    root: Path
    result: WireResult = WireResult.DONE
    orders: list[wire.Message] = field(default_factory=list)

    def __call__(self, msg: wire.Message) -> list[wire.Message]:
        self.orders.append(msg)
        assert isinstance(msg, wire.Enrol)
        paper = signs(self.root)(msg) if self.result is WireResult.DONE else None
        signed = [] if paper is None else [wire.Attestation(msg.grant, paper)]
        return [wire.EnrolHint(wire.Hint.CONFIRM_WITH_PIN), *signed, wire.Done(msg.grant, self.result)]


def doorctl(vault: Vault, *args: str, typed: str | None = None) -> Result:
    """`doorctl enrol` while somebody's PIN for it was right."""
    with open_desk(vault.root, {Room.KEEPER: lambda _msg: [], Room.VAULT: vault}) as ends:
        ends[Room.KEEPER].say(wire.GrantTicket(nonce(), Purpose.ENROL, FOREVER_NS))
        said = CliRunner().invoke(cli.cli, ["enrol", "--wait", "5", *args], input=typed, prog_name="doorctl")
    assert said.exception is None or isinstance(said.exception, SystemExit), said.exception
    return said


@pytest.mark.parametrize("covered", [False, True])
@pytest.mark.parametrize("under_14", [False, True])
def test_another_sitting_is_told_as_one_and_asked_about_after_the_notice(
    root: Path, under_14: bool, covered: bool
) -> None:
    vault = Vault(root)
    declared = [word for word, said in (("--under-14", under_14), ("--covered", covered)) if said]
    said = doorctl(vault, "--again", *declared, typed="y\n")
    assert said.exit_code == 0, said.output
    (order,) = vault.orders
    assert isinstance(order, wire.Enrol)
    assert (order.again, order.under_14, order.covered) == (True, under_14, covered)
    question = sentences.AGREE_AGAIN_FOR_CHILD if under_14 else sentences.AGREE_AGAIN
    in_order = ["You do not need this.", sentences.AGAIN, question, sentences.PRESS_AND_LOOK, "is added to your face"]
    places = [said.stdout.index(text) for text in in_order]
    assert places == sorted(places)
    assert "Here is your signed consent record" in said.stdout
    assert (sentences.COVERED_AGAIN in said.stdout) is covered


def test_who_comes_otherwise_than_they_enrolled_is_told_what_to_do(root: Path) -> None:
    said = doorctl(Vault(root, WireResult.COVERED_OTHERWISE), "--again", "--consent", "--json")
    reason = json.loads(said.stdout)["reason"]
    assert "stays as it was" in reason
    assert "--covered" in reason
    assert "`doorctl erase` and enrol anew" in reason


def test_a_first_enrolment_is_no_other_sitting(root: Path) -> None:
    vault = Vault(root)
    said = doorctl(vault, typed="y\n")
    assert [order.again for order in vault.orders if isinstance(order, wire.Enrol)] == [False]
    assert sentences.AGAIN not in said.stdout


@pytest.mark.parametrize("typed", ["n\n", "\n", ""])
def test_without_a_yes_there_is_no_other_sitting(root: Path, typed: str) -> None:
    vault = Vault(root)
    said = doorctl(vault, "--again", typed=typed)
    assert said.exit_code == 1
    assert vault.orders == []
    if typed:
        assert sentences.DECLINED_AGAIN in said.stderr


def test_the_door_says_that_it_never_learns_by_itself_and_that_it_can_be_left() -> None:
    assert "never learns by itself" in sentences.AGAIN
    assert "you may leave it" in sentences.AGAIN
    assert not re.search(r"\b(should|must|recommend|better|please)\b", sentences.AGAIN), "nobody is pushed"


@pytest.mark.parametrize("result", [each for each in WireResult if each not in NEVER])
def test_whatever_goes_wrong_is_one_sentence_and_says_that_the_face_is_as_it_was(
    root: Path, result: WireResult
) -> None:
    said = doorctl(Vault(root, result), "--again", "--consent", "--json")
    told = json.loads(said.stdout)
    assert (said.exit_code, told["ok"], told["result"]) == (1, False, result.name.lower())
    reason = told["reason"]
    assert re.fullmatch(SENTENCE, reason), "one sentence"
    if result not in (WireResult.BUSY, WireResult.NO_GRANT, WireResult.RETIRED):
        assert re.search(r"as it was|nothing was changed|whole or not at all", reason), reason
    assert "nothing was stored" not in reason


@pytest.mark.usefixtures("root")
def test_who_stops_hears_that_the_face_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def stops(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("device.desk.cli_acts._act", stops)
    told = CliRunner().invoke(cli.cli, ["enrol", "--again", "--consent", "--json"])
    assert json.loads(told.stdout) == {"ok": False, "reason": sentences.STOPPED_AGAIN}
