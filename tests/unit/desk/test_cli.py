"""doorctl end to end: its commands, over its real socket, against the real desk with robots for the other rooms."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from device import attestation, wire
from device.desk import acts, cli, cli_acts, sentences, timeouts
from device.desk.errands import ActErrand
from device.desk.papers import files
from device.desk.under_way import NO_CONSENT
from device.desk.upkeep import cli as upkeep
from device.edges import Room
from device.paths import Paths
from device.wire import AlarmBits, DoorStatus, Hint, Purpose
from device.wire import Result as WireResult
from tests.support.command_line import commands
from tests.unit.desk.house import Robot, listening, nonce, open_desk
from tests.unit.desk.papers import DOOR, OTHER_KEY, Sign, agreed, signs

WELL = DoorStatus(
    eye=True,
    vault=True,
    keeper=True,
    report=True,
    camera_well=True,
    alarms=0,
    policy_version=3,
    document_key=bytes(range(32)),
    ending=wire.Ending.NONE,
    ends_in_s=0,
)
FOREVER_NS = 2**62
ACTS = {
    "enrol": Purpose.ENROL,
    "renew": Purpose.RENEW,
    "erase": Purpose.ERASE,
    "pause": Purpose.PAUSE,
    "resume": Purpose.RESUME,
}
AGREEING = (Purpose.ENROL, Purpose.RENEW)
PAPERS = {Purpose.ENROL: "consent_record", Purpose.RENEW: "consent_record", Purpose.ERASE: "receipt"}


def silent(_msg: wire.Message) -> list[wire.Message]:
    return []


def lock_robot(ack: wire.Ack) -> Robot:
    def answer(msg: wire.Message) -> list[wire.Message]:
        return [WELL] if isinstance(msg, wire.AskStatus) else [ack] if isinstance(msg, wire.Document) else []

    return answer


def nothing_signed(_order: wire.Message) -> None:
    """A vault that signs nothing."""


def vault_robot(result: WireResult, *hints: Hint, sign: Sign = nothing_signed) -> Robot:
    def answer(msg: wire.Message) -> list[wire.Message]:
        assert isinstance(msg, wire.Enrol | wire.Erase | wire.Pause | wire.Resume | wire.Renew)
        signed = sign(msg)
        papers = [] if signed is None else [wire.Attestation(msg.grant, signed)]
        return [*(wire.EnrolHint(hint) for hint in hints), *papers, wire.Done(msg.grant, result)]

    return answer


def doorctl(*args: str, typed: str | None = None) -> Result:
    result = CliRunner().invoke(cli.cli, args, input=typed, prog_name="doorctl")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def one_sentence(text: str) -> bool:
    return bool(re.fullmatch(r"[A-Z/](?![^\n]*[.!?] [A-Z])[^\n]*[.!?)]\n", text))


# ---- asking


def test_status_tells_every_room(root: Path) -> None:
    with open_desk(root, {Room.LOCK: lock_robot(wire.Ack(3, WireResult.DONE))}):
        said, told = doorctl("status"), doorctl("status", "--json")
    assert said.exit_code == told.exit_code == 0
    assert "Every room of the door is up." in said.stdout
    assert json.loads(told.stdout) == {
        "ok": True,
        "rooms": dict.fromkeys(("eye", "vault", "keeper", "lock", "report", "desk"), True),
        "camera": "well",
        "alarms": [],
        "policy_version": 3,
        "document_key": bytes(range(32)).hex(),
        "ending": "none",
        "ends_in_s": 0,
        "joined": True,
        "certificate": True,
        "copy": True,
    }


def test_status_tells_of_a_certificate_that_ended(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device.desk.joining.steps.lacks", lambda _door: "The door's certificate ended.")
    with open_desk(root, {Room.LOCK: lock_robot(wire.Ack(3, WireResult.DONE))}):
        said, told = doorctl("status"), doorctl("status", "--json")
    assert said.exit_code == 0
    assert said.stdout.endswith("The door's certificate ended.\n")
    assert json.loads(told.stdout)["certificate"] is False


def test_status_names_who_is_away() -> None:
    away = DoorStatus(
        eye=False,
        vault=True,
        keeper=False,
        report=True,
        camera_well=False,
        alarms=AlarmBits.TAMPER | AlarmBits.BREACH,
        policy_version=0,
        document_key=bytes(32),
        ending=wire.Ending.NONE,
        ends_in_s=0,
    )
    assert sentences.status_sentence(away).splitlines() == [
        "Away: eye, keeper.",
        "camera   fault",
        "alarms   tamper, breach",
        "policy   version 0",
    ]


@pytest.mark.parametrize(("word", "purpose"), ACTS.items())
def test_an_act_with_a_ticket_is_done(root: Path, word: str, purpose: Purpose) -> None:
    robots = {Room.KEEPER: silent, Room.VAULT: vault_robot(WireResult.DONE, sign=signs(root))}
    with open_desk(root, robots) as ends:
        ends[Room.KEEPER].say(wire.GrantTicket(nonce(), purpose, FOREVER_NS))
        arguments = ("--consent", "--json") if purpose in AGREEING else ("--json",)
        result = doorctl(word, "--wait", "5", *arguments)
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told.keys() == {"ok", "result", *([PAPERS[purpose]] if purpose in PAPERS else [])}
    assert (told["ok"], told["result"]) == (True, "done")


@pytest.mark.parametrize(("word", "purpose"), ACTS.items())
def test_an_act_without_a_ticket_says_what_to_type_at_the_keypad(root: Path, word: str, purpose: Purpose) -> None:
    with open_desk(root, {Room.KEEPER: silent, Room.VAULT: vault_robot(WireResult.DONE)}):
        arguments = ("--consent",) if purpose in AGREEING else ()
        result = doorctl(word, "--wait", "0", *arguments)
    assert result.exit_code == 1
    assert one_sentence(result.stderr)
    assert sentences.KEYPAD[purpose][1:] in result.stderr


def test_an_act_waits_for_a_ticket_that_is_not_there_yet(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts, "POLL_S", 0.01)
    with open_desk(root, {Room.KEEPER: silent, Room.VAULT: vault_robot(WireResult.DONE)}) as ends:
        invite = sentences.KEYPAD[Purpose.ERASE]

        def tell(text: str) -> None:
            # What the person does on being told to: they type their PIN, and keeper hands out a ticket.
            if text == invite:
                ends[Room.KEEPER].say(wire.GrantTicket(nonce(), Purpose.ERASE, FOREVER_NS))

        monkeypatch.setattr(cli_acts, "tell", tell)
        result = doorctl("erase", "--wait", "20")
    assert result.exit_code == 0, result.output


# ---- enrolment


def test_enrolment_shows_the_notice_asks_and_passes_hints_on(root: Path) -> None:
    vault = vault_robot(WireResult.DONE, Hint.COME_CLOSER, Hint.COME_CLOSER, Hint.HOLD_STILL)
    with open_desk(root, {Room.KEEPER: silent, Room.VAULT: vault}) as ends:
        ends[Room.KEEPER].say(wire.GrantTicket(nonce(), Purpose.ENROL, FOREVER_NS))
        result = doorctl("enrol", "--wait", "5", typed="y\n")
    assert result.exit_code == 0
    in_order = [
        "You do not need this.",
        "您可以不用人脸。",
        "Do you agree",
        sentences.PRESS_AND_LOOK,
        sentences.HINTS[Hint.COME_CLOSER],
        sentences.HINTS[Hint.HOLD_STILL],
        "Your face is enrolled.",
    ]
    places = [result.stdout.index(text) for text in in_order]
    assert places == sorted(places)
    assert result.stdout.count(sentences.HINTS[Hint.COME_CLOSER]) == 1


@pytest.mark.parametrize("typed", ["n\n", "\n"])
@pytest.mark.parametrize("word", ["enrol", "renew"])
def test_who_does_not_agree_is_neither_enrolled_nor_renewed(root: Path, word: str, typed: str) -> None:
    purpose = ACTS[word]
    asked: list[wire.Message] = []

    def vault(msg: wire.Message) -> list[wire.Message]:
        asked.append(msg)
        return []

    with open_desk(root, {Room.KEEPER: silent, Room.VAULT: vault}) as ends:
        ends[Room.KEEPER].say(wire.GrantTicket(nonce(), purpose, FOREVER_NS))
        result = doorctl(word, typed=typed)
    assert result.exit_code == 1
    assert sentences.DECLINED[purpose] in result.stderr
    assert asked == []


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("word", ["enrol", "renew"])
def test_no_answer_is_no_consent(word: str) -> None:
    result = doorctl(word, "--json", typed="")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["ok"] is False


@pytest.mark.parametrize("word", ["enrol", "renew"])
def test_what_vault_receives_is_the_hash_that_consent_show_prints(root: Path, word: str) -> None:
    asked: list[wire.Message] = []

    def vault(msg: wire.Message) -> list[wire.Message]:
        asked.append(msg)
        return vault_robot(WireResult.DONE)(msg)

    with open_desk(root, {Room.KEEPER: silent, Room.VAULT: vault}) as ends:
        ends[Room.KEEPER].say(wire.GrantTicket(nonce(), ACTS[word], FOREVER_NS))
        assert doorctl(word, "--consent", "--wait", "5").exit_code == 0
    shown = json.loads(doorctl("consent", "show", "--json").stdout)
    (order,) = asked
    assert isinstance(order, wire.Enrol | wire.Renew)
    assert order.consent.hex() == shown["consent_hash"]
    assert order.consent != NO_CONSENT
    assert shown["texts"].keys() == {"en", "zh"}
    assert all("$" not in text for text in shown["texts"].values()), "the notice is shown as it holds at this door"


@pytest.mark.parametrize("result", [each for each in WireResult if each is not WireResult.DONE])
def test_every_way_an_enrolment_can_fail_is_one_sentence(root: Path, result: WireResult) -> None:
    with open_desk(root, {Room.KEEPER: silent, Room.VAULT: vault_robot(result)}) as ends:
        ends[Room.KEEPER].say(wire.GrantTicket(nonce(), Purpose.ENROL, FOREVER_NS))
        said = doorctl("enrol", "--consent", "--wait", "0")
    assert said.exit_code == 1
    assert one_sentence(said.stderr.replace(f"{sentences.KEYPAD[Purpose.ENROL]}\n", ""))


def test_every_result_and_hint_has_its_sentence() -> None:
    for purpose in set(Purpose) - {Purpose.PAGE}:  # nothing of doorctl's: a sitting is opened at the keypad
        refusals = [sentences.act_sentence(purpose, result) for result in WireResult if result is not WireResult.DONE]
        assert all(one_sentence(f"{refusal}\n") for refusal in refusals)
    assert all(one_sentence(f"{sentences.document_sentence(result, 4)}\n") for result in WireResult)
    assert sentences.HINTS.keys() == set(Hint)


def test_json_is_one_object_on_stdout_while_the_rest_goes_to_stderr(root: Path) -> None:
    vault = vault_robot(WireResult.TOO_FEW_FRAMES, Hint.TOO_DARK)
    with open_desk(root, {Room.KEEPER: silent, Room.VAULT: vault}) as ends:
        ends[Room.KEEPER].say(wire.GrantTicket(nonce(), Purpose.ENROL, FOREVER_NS))
        said = doorctl("enrol", "--json", "--wait", "5", typed="y\n")
    told = json.loads(said.stdout)
    assert (told["ok"], told["result"], said.exit_code) == (False, "too_few_frames", 1)
    assert sentences.HINTS[Hint.TOO_DARK] in said.stderr


@pytest.mark.parametrize("under_14", [False, True])
def test_what_a_guardian_declares_reaches_vault_and_is_asked_in_those_words(root: Path, under_14: bool) -> None:
    asked: list[wire.Message] = []

    def vault(msg: wire.Message) -> list[wire.Message]:
        asked.append(msg)
        return vault_robot(WireResult.DONE, sign=signs(root))(msg)

    with open_desk(root, {Room.KEEPER: silent, Room.VAULT: vault}) as ends:
        ends[Room.KEEPER].say(wire.GrantTicket(nonce(), Purpose.ENROL, FOREVER_NS))
        said = doorctl("enrol", "--wait", "5", *(["--under-14"] if under_14 else []), typed="y\n")
    (order,) = asked
    assert isinstance(order, wire.Enrol)
    assert order.under_14 is under_14
    assert (sentences.AGREE_FOR_CHILD in said.stdout) is under_14
    assert (sentences.AGREE[Purpose.ENROL] in said.stdout) is not under_14
    assert ("parent or guardian" in doorctl("enrol", "--help").stdout) is True


def test_a_door_without_a_configuration_enrols_nobody(root: Path) -> None:
    Paths(root).config.unlink()
    said = doorctl("enrol", "--consent")
    assert said.exit_code == 1
    assert one_sentence(said.stderr)


# ---- what the door signed


def perform(
    root: Path, word: str, *arguments: str, sign: Sign | None = None, result: WireResult = WireResult.DONE
) -> Result:
    """Do the act `word` at a door whose vault ends it with `result` and signs what `sign` says."""
    robots = {Room.KEEPER: silent, Room.VAULT: vault_robot(result, sign=sign or signs(root))}
    with open_desk(root, robots) as ends:
        ends[Room.KEEPER].say(wire.GrantTicket(nonce(), ACTS[word], FOREVER_NS))
        agreeing = ("--consent",) if ACTS[word] in AGREEING else ()
        return doorctl(word, "--wait", "5", *agreeing, *arguments)


FILED = [("enrol", "--copy"), ("renew", "--copy"), ("erase", "--receipt")]


@pytest.mark.parametrize("word", [word for word, _ in FILED])
def test_a_paper_is_printed_where_no_file_is_named(root: Path, word: str) -> None:
    said = perform(root, word)
    assert said.exit_code == 0
    assert said.stdout.index(sentences.act_sentence(ACTS[word], WireResult.DONE)) < said.stdout.index("-----BEGIN")
    assert attestation.read(said.stdout).paper.door == DOOR


@pytest.mark.parametrize(("word", "option"), FILED)
def test_a_paper_goes_into_a_new_file_that_only_its_owner_reads(
    root: Path, tmp_path: Path, word: str, option: str
) -> None:
    said = perform(root, word, option, str(tmp_path / "paper"))
    assert said.exit_code == 0
    assert "-----BEGIN" not in said.stdout
    assert str(tmp_path / "paper") in said.stdout
    assert files.read(tmp_path / "paper").paper.door == DOOR
    assert stat.S_IMODE((tmp_path / "paper").stat().st_mode) == 0o600


@pytest.mark.parametrize(("word", "option"), FILED)
def test_json_holds_the_paper_and_its_file(root: Path, tmp_path: Path, word: str, option: str) -> None:
    told = json.loads(perform(root, word, option, str(tmp_path / "paper"), "--json").stdout)
    assert told[PAPERS[ACTS[word]]] == (tmp_path / "paper").read_text()
    assert told["saved_to"] == str(tmp_path / "paper")


def made_in_vain(root: Path, word: str, option: str, path: Path) -> tuple[Result, list[wire.Message]]:
    """Try the act with its paper to go to `path`; what vault was asked for."""
    asked: list[wire.Message] = []

    def sign(order: wire.Message) -> bytes | None:
        asked.append(order)
        return signs(root)(order)

    return perform(root, word, option, str(path), sign=sign), asked


@pytest.mark.parametrize(("word", "option"), FILED)
def test_a_file_that_is_there_or_a_folder_that_is_not_stops_the_act_before_it_begins(
    root: Path, tmp_path: Path, word: str, option: str
) -> None:
    (tmp_path / "taken").write_text("somebody's letter")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for path in (tmp_path / "taken", tmp_path / "link", tmp_path / "missing" / "paper", tmp_path):
        said, asked = made_in_vain(root, word, option, path)
        assert said.exit_code == 1
        assert one_sentence(said.stderr)
        assert asked == []
    assert (tmp_path / "taken").read_text() == "somebody's letter"
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_opened_without_asking_for_a_new_one_would_be_caught(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_FLAGS", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    (tmp_path / "taken").write_text("somebody's letter")
    made_in_vain(root, "erase", "--receipt", tmp_path / "taken")
    assert (tmp_path / "taken").read_text() != "somebody's letter"


@pytest.mark.parametrize(("word", "option"), FILED)
def test_a_disk_that_fills_up_in_between_costs_nobody_their_paper(
    root: Path, tmp_path: Path, word: str, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.write

    def full(handle: int, data: bytes) -> int:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return really(handle, data)

    monkeypatch.setattr(os, "write", full)
    said = perform(root, word, option, str(tmp_path / "paper"))
    told = json.loads(perform(root, word, option, str(tmp_path / "paper"), "--json").stdout)
    assert said.exit_code == 0, "the act was done"
    assert "No space left" in said.stdout
    assert attestation.read(said.stdout) == attestation.read(told[PAPERS[ACTS[word]]])
    assert "saved_to" not in told
    assert not (tmp_path / "paper").exists()


@pytest.mark.parametrize(("word", "option"), FILED)
def test_an_act_that_was_not_done_leaves_no_file_behind(root: Path, tmp_path: Path, word: str, option: str) -> None:
    said = perform(root, word, option, str(tmp_path / "paper"), sign=nothing_signed, result=WireResult.NOTHING_TO_DO)
    assert said.exit_code == 1
    assert not (tmp_path / "paper").exists()


def test_an_erasure_without_a_receipt_is_told_as_one(root: Path, tmp_path: Path) -> None:
    said = perform(root, "erase", "--receipt", str(tmp_path / "paper"), sign=nothing_signed)
    assert said.exit_code == 0
    assert "gave no receipt" in said.stdout
    assert not (tmp_path / "paper").exists()


def test_a_receipt_says_what_the_place_of_the_keys_means(root: Path) -> None:
    said = perform(root, "erase").stdout
    assert "TPM" in said
    assert said.count("stays shut") == 3
    assert "doorctl receipt verify" in said


@pytest.mark.parametrize("covered", [False, True])
def test_who_enrols_covered_says_so_and_hears_what_it_means_before_being_asked(root: Path, covered: bool) -> None:
    heard: list[wire.Message] = []

    def vault(msg: wire.Message) -> list[wire.Message]:
        heard.append(msg)
        return vault_robot(WireResult.DONE, Hint.COVER_YOUR_FACE, sign=signs(root))(msg)

    with open_desk(root, {Room.KEEPER: silent, Room.VAULT: vault}) as ends:
        ends[Room.KEEPER].say(wire.GrantTicket(nonce(), Purpose.ENROL, FOREVER_NS))
        said = doorctl("enrol", "--wait", "5", *(["--covered"] if covered else []), typed="y\n")
    (order,) = heard
    assert isinstance(order, wire.Enrol)
    assert (order.covered, order.under_14) == (covered, False)
    assert said.exit_code == 0
    assert (sentences.COVERED in said.stdout) is covered
    if covered:
        assert said.stdout.index(sentences.COVERED) < said.stdout.index(sentences.AGREE[Purpose.ENROL])
    assert "not to be relied on" not in said.stdout


def false_papers(root: Path) -> dict[str, bytes]:
    """What no vault would sign about an enrolment of an adult to the terms in force."""
    record = agreed(root)
    kept = signs(root)(wire.Enrol(bytes(16), bytes(32), under_14=False))
    receipt = signs(root)(wire.Erase(bytes(16)))
    assert kept
    assert receipt
    return {
        "noise": b"noise",
        "changed": kept[:-1] + bytes([kept[-1] ^ 1]),
        "a receipt": receipt,
        "of a child": attestation.sign(agreed(root, under_14=True), OTHER_KEY),
        "of a covered face": attestation.sign(agreed(root, covered=True), OTHER_KEY),
        "to other terms": attestation.sign(
            attestation.ConsentRecord(
                record.door, record.consent_id, record.day, record.under_14, *(bytes(32) for _ in range(5))
            ),
            OTHER_KEY,
        ),
    }


@pytest.mark.parametrize("kind", ["noise", "changed", "a receipt", "of a child", "of a covered face", "to other terms"])
def test_a_paper_that_does_not_fit_the_act_is_not_passed_off_as_one(
    root: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even by a desk that was taken over, and looks at nothing."""
    monkeypatch.setattr(ActErrand, "attested_by", lambda _act, _content: True)
    paper = false_papers(root)[kind]
    said = perform(root, "enrol", "--copy", str(tmp_path / "paper"), sign=lambda _order: paper)
    assert "not to be relied on" in said.stdout
    assert not (tmp_path / "paper").exists()


@pytest.mark.parametrize("result", [WireResult.FAULT, None])
def test_a_receipt_that_came_before_the_line_broke_is_kept(
    root: Path, tmp_path: Path, result: WireResult | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None: nothing more comes at all."""
    monkeypatch.setattr(timeouts, "act_s", lambda _purpose: 0.3)
    monkeypatch.setattr(timeouts, "GRACE_S", 0.1)

    def vault(msg: wire.Message) -> list[wire.Message]:
        assert isinstance(msg, wire.Erase)
        signed = signs(root)(msg)
        assert signed
        paper = wire.Attestation(msg.grant, signed)
        return [paper] if result is None else [paper, wire.Done(msg.grant, result)]

    with open_desk(root, {Room.KEEPER: silent, Room.VAULT: vault}) as ends:
        ends[Room.KEEPER].say(wire.GrantTicket(nonce(), Purpose.ERASE, FOREVER_NS))
        said = doorctl("erase", "--receipt", str(tmp_path / "paper"), "--json")
    assert said.exit_code == 1
    assert json.loads(said.stdout)["receipt"] == (tmp_path / "paper").read_text()


# ---- new keys


@pytest.mark.parametrize("result", WireResult)
def test_how_a_rekey_ended_is_one_sentence(root: Path, result: WireResult) -> None:
    def vault(msg: wire.Message) -> list[wire.Message]:
        assert isinstance(msg, wire.Rekey)
        return [wire.Done(msg.nonce, result)]

    with open_desk(root, {Room.VAULT: vault}):
        said, told = doorctl("rekey"), doorctl("rekey", "--json")
    done = result in {WireResult.DONE, WireResult.NOTHING_TO_DO}
    assert said.exit_code == told.exit_code == (0 if done else 1)
    assert sentences.REKEYS in said.stdout
    assert one_sentence(said.stdout.replace(f"{sentences.REKEYS}\n", "") if done else said.stderr)
    assert json.loads(told.stdout)["result"] == result.name.lower()


def test_a_rekey_without_vault_is_a_sentence(root: Path) -> None:
    with open_desk(root, {}):
        said = doorctl("rekey")
    assert said.exit_code == 1
    assert one_sentence(said.stderr)


# ---- documents


@pytest.mark.parametrize("result", WireResult)
def test_what_became_of_a_document_is_told(root: Path, tmp_path: Path, result: WireResult) -> None:
    (tmp_path / "offer.doc").write_bytes(b"anything: lock judges it")
    with open_desk(root, {Room.LOCK: lock_robot(wire.Ack(4, result))}):
        said = doorctl("apply", str(tmp_path / "offer.doc"), "--json")
    told = json.loads(said.stdout)
    assert said.exit_code == (0 if result is WireResult.DONE else 1)
    assert (told["result"], told["version"]) == (result.name.lower(), 4)


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("content", [None, b"", bytes(4097)])
def test_a_file_that_cannot_be_a_document_is_refused_before_the_door_is_asked(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "offer.doc"
    if content is not None:
        path.write_bytes(content)
    said = doorctl("apply", str(path))
    assert said.exit_code == 1
    assert one_sentence(said.stderr)


# ---- the door is not there


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("words", [["status"], ["erase"], ["enrol", "--consent"], ["rekey"], ["status", "--json"]])
def test_a_door_that_is_not_running_is_one_sentence(words: list[str]) -> None:
    said = doorctl(*words)
    assert said.exit_code == 1
    reason = json.loads(said.stdout)["reason"] if "--json" in words else said.stderr
    assert "No door is running here" in reason


def test_a_socket_that_nobody_serves_is_one_sentence(root: Path) -> None:
    with listening(root):
        pass
    said = doorctl("status")
    assert said.exit_code == 1
    assert "No door is running here" in said.stderr


def test_whoever_may_not_speak_to_the_desk_is_told_to_use_sudo(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOORWARD_ONE_USER")
    monkeypatch.setattr("device.peers.permitted_uids", lambda _room: frozenset())
    with open_desk(root, {}):
        said = doorctl("status")
    assert said.exit_code == 1
    assert "try sudo" in said.stderr


def test_a_status_without_lock_says_so(root: Path) -> None:
    with open_desk(root, {}):
        said = doorctl("status")
    assert said.exit_code == 1
    assert "lock does not answer" in said.stderr


# ---- selftest


def test_selftest_finds_what_is_missing_and_goes_on(root: Path) -> None:
    Paths(root).config.unlink()
    said = doorctl("selftest", "--json")
    assert said.exit_code == 1
    found = {check["name"]: check["ok"] for check in json.loads(said.stdout)["checks"]}
    assert found == {"configuration": False, "models": True, "sockets": False, "desk": False}


def test_selftest_reads_configuration_models_and_rooms(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = root / "models"
    damaged.mkdir()
    (damaged / "manifest.toml").write_text("schema = 1\n[")
    with open_desk(root, {Room.LOCK: lock_robot(wire.Ack(1, WireResult.DONE))}):
        well = json.loads(doorctl("selftest", "--json").stdout)["checks"]
        monkeypatch.setattr(upkeep, "models_dir", lambda: damaged)
        ill = json.loads(doorctl("selftest", "--json").stdout)["checks"]
    assert {check["name"]: check["ok"] for check in well} == {
        "configuration": True,
        "models": True,
        "sockets": False,
        **dict.fromkeys(("eye", "vault", "keeper", "lock", "report", "desk"), True),
    }
    assert next(check["ok"] for check in ill if check["name"] == "models") is False


# ---- manners


@pytest.mark.parametrize("words", list(commands(cli.cli)))
def test_every_command_has_help_with_an_example_and_json(words: tuple[str, ...]) -> None:
    said = doorctl(*words, "--help")
    assert said.exit_code == 0
    assert f"Example: doorctl {' '.join(words)}" in said.stdout
    assert "--json" in said.stdout


@pytest.mark.parametrize("words", [["apply"], ["open"], ["status", "--slot", "3"], ["erase", "--wait", "soon"], []])
def test_usage_errors_exit_2(words: list[str]) -> None:
    assert doorctl(*words).exit_code == 2


def test_no_command_takes_a_slot_or_a_pin() -> None:
    def options(group: click.Group) -> Iterator[str]:
        for command in group.commands.values():
            yield from options(command) if isinstance(command, click.Group) else ()
            yield from (str(parameter.name) for parameter in command.params)

    assert not {"slot", "pin", "digits", "flat", "claim", "invitation"} & set(options(cli.cli))


def test_ctrl_c_is_a_sentence_and_130(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(acts.PersonalAct, "perform", interrupted)
    with open_desk(root, {}):
        said = doorctl("enrol", "--consent")
        told = doorctl("enrol", "--consent", "--json")
    assert said.exit_code == told.exit_code == 130
    assert said.stderr == sentences.STOPPED_ENROLMENT + "\n"
    assert json.loads(told.stdout) == {"ok": False, "reason": sentences.STOPPED_ENROLMENT}
