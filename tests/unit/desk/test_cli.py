"""doorctl end to end: its commands, over its real socket, against the real desk with robots for the other rooms."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from device import wire
from device.desk import acts, answers, cli, consent, sentences
from device.desk.loop import NO_CONSENT
from device.edges import Room
from device.paths import Paths
from device.wire import AlarmBits, DoorStatus, Hint, Purpose
from device.wire import Result as WireResult
from tests.unit.desk.house import Robot, listening, nonce, open_desk, short_root

WELL = DoorStatus(
    eye=True,
    vault=True,
    keeper=True,
    report=True,
    camera_well=True,
    alarms=0,
    policy_version=3,
)
FOREVER_NS = 2**62
ACTS = {"enrol": Purpose.ENROL, "erase": Purpose.ERASE, "pause": Purpose.PAUSE, "resume": Purpose.RESUME}


def silent(_msg: wire.Message) -> list[wire.Message]:
    return []


def lock_robot(ack: wire.Ack) -> Robot:
    def answer(msg: wire.Message) -> list[wire.Message]:
        return [WELL] if isinstance(msg, wire.AskStatus) else [ack] if isinstance(msg, wire.Document) else []

    return answer


def vault_robot(result: WireResult, *hints: Hint) -> Robot:
    def answer(msg: wire.Message) -> list[wire.Message]:
        assert isinstance(msg, wire.Enrol | wire.Erase | wire.Pause | wire.Resume)
        return [*(wire.EnrolHint(hint) for hint in hints), wire.Done(msg.grant, result)]

    return answer


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with short_root() as folder:
        monkeypatch.setenv("DOORWARD_ROOT", str(folder))
        monkeypatch.setenv("DOORWARD_ONE_USER", "simulated")
        yield folder


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
    }


def test_status_names_who_is_away() -> None:
    away = DoorStatus(
        eye=False,
        vault=True,
        keeper=False,
        report=True,
        camera_well=False,
        alarms=AlarmBits.TAMPER | AlarmBits.BREACH,
        policy_version=0,
    )
    assert sentences.status_sentence(away).splitlines() == [
        "Away: eye, keeper.",
        "camera   fault",
        "alarms   tamper, breach",
        "policy   version 0",
    ]


@pytest.mark.parametrize(("word", "purpose"), ACTS.items())
def test_an_act_with_a_ticket_is_done(root: Path, word: str, purpose: Purpose) -> None:
    robots = {Room.KEEPER: silent, Room.VAULT: vault_robot(WireResult.DONE)}
    with open_desk(root, robots) as ends:
        ends[Room.KEEPER].say(wire.GrantTicket(nonce(), purpose, FOREVER_NS))
        arguments = ("--consent", "--json") if purpose is Purpose.ENROL else ("--json",)
        result = doorctl(word, "--wait", "5", *arguments)
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"ok": True, "result": "done"}


@pytest.mark.parametrize(("word", "purpose"), ACTS.items())
def test_an_act_without_a_ticket_says_what_to_type_at_the_keypad(root: Path, word: str, purpose: Purpose) -> None:
    with open_desk(root, {Room.KEEPER: silent, Room.VAULT: vault_robot(WireResult.DONE)}):
        arguments = ("--consent",) if purpose is Purpose.ENROL else ()
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

        monkeypatch.setattr(cli, "tell", tell)
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
def test_who_does_not_agree_is_not_enrolled(root: Path, typed: str) -> None:
    asked: list[wire.Message] = []

    def vault(msg: wire.Message) -> list[wire.Message]:
        asked.append(msg)
        return []

    with open_desk(root, {Room.KEEPER: silent, Room.VAULT: vault}) as ends:
        ends[Room.KEEPER].say(wire.GrantTicket(nonce(), Purpose.ENROL, FOREVER_NS))
        result = doorctl("enrol", typed=typed)
    assert result.exit_code == 1
    assert sentences.DECLINED in result.stderr
    assert asked == []


@pytest.mark.usefixtures("root")
def test_no_answer_is_no_consent() -> None:
    result = doorctl("enrol", "--json", typed="")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["ok"] is False


def test_what_vault_receives_is_the_hash_that_consent_show_prints(root: Path) -> None:
    asked: list[wire.Message] = []

    def vault(msg: wire.Message) -> list[wire.Message]:
        asked.append(msg)
        return vault_robot(WireResult.DONE)(msg)

    with open_desk(root, {Room.KEEPER: silent, Room.VAULT: vault}) as ends:
        ends[Room.KEEPER].say(wire.GrantTicket(nonce(), Purpose.ENROL, FOREVER_NS))
        assert doorctl("enrol", "--consent", "--wait", "5").exit_code == 0
    shown = json.loads(doorctl("consent", "show", "--json").stdout)
    (order,) = asked
    assert isinstance(order, wire.Enrol)
    assert order.consent.hex() == shown["consent_hash"]
    assert order.consent != NO_CONSENT
    assert shown["texts"].keys() == {"en", "zh"}


@pytest.mark.parametrize("result", [each for each in WireResult if each is not WireResult.DONE])
def test_every_way_an_enrolment_can_fail_is_one_sentence(root: Path, result: WireResult) -> None:
    with open_desk(root, {Room.KEEPER: silent, Room.VAULT: vault_robot(result)}) as ends:
        ends[Room.KEEPER].say(wire.GrantTicket(nonce(), Purpose.ENROL, FOREVER_NS))
        said = doorctl("enrol", "--consent", "--wait", "0")
    assert said.exit_code == 1
    assert one_sentence(said.stderr.replace(f"{sentences.KEYPAD[Purpose.ENROL]}\n", ""))


def test_every_result_and_hint_has_its_sentence() -> None:
    for purpose in Purpose:
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
@pytest.mark.parametrize("words", [["status"], ["erase"], ["enrol", "--consent"], ["status", "--json"]])
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
    monkeypatch.setattr("device.service.permitted_uids", lambda _room: frozenset())
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


@pytest.mark.usefixtures("root")
def test_selftest_finds_what_is_missing_and_goes_on() -> None:
    said = doorctl("selftest", "--json")
    assert said.exit_code == 1
    found = {check["name"]: check["ok"] for check in json.loads(said.stdout)["checks"]}
    assert found == {"configuration": False, "models": True, "sockets": False, "desk": False}


def test_selftest_reads_configuration_models_and_rooms(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Paths(root).config
    config.parent.mkdir(parents=True)
    config.write_text('[door]\nid = "0123456789abcdef"\n')
    damaged = root / "models"
    damaged.mkdir()
    (damaged / "manifest.toml").write_text("schema = 1\n[")
    with open_desk(root, {Room.LOCK: lock_robot(wire.Ack(1, WireResult.DONE))}):
        well = json.loads(doorctl("selftest", "--json").stdout)["checks"]
        monkeypatch.setattr(cli, "models_dir", lambda: damaged)
        ill = json.loads(doorctl("selftest", "--json").stdout)["checks"]
    assert {check["name"]: check["ok"] for check in well} == {
        "configuration": True,
        "models": True,
        "sockets": False,
        **dict.fromkeys(("eye", "vault", "keeper", "lock", "report", "desk"), True),
    }
    assert next(check["ok"] for check in ill if check["name"] == "models") is False


# ---- manners


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


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
    assert said.exit_code == told.exit_code == answers.EXIT_INTERRUPTED
    assert said.stderr == sentences.STOPPED_ENROLMENT + "\n"
    assert json.loads(told.stdout) == {"ok": False, "reason": sentences.STOPPED_ENROLMENT}


# ---- consent


def test_a_consent_is_bound_to_every_word_of_it() -> None:
    notice = consent.read_notice()
    base = ("notice", ("english", "chinese"), "purpose", "retention", bytes(32))

    def digest(name: str, texts: tuple[str, ...], purpose: str, retention: str, model: bytes) -> bytes:
        return consent.consent_hash(consent.Notice(name, texts), purpose, retention, model)

    variants = [
        base,
        ("notice2", *base[1:]),
        ("notice", ("english.", "chinese"), *base[2:]),
        ("notice", ("english", "chinese."), *base[2:]),
        ("notice", ("englishc", "hinese"), *base[2:]),
        (*base[:2], "purposer", "etention", bytes(32)),
        (*base[:3], "retention.", bytes(32)),
        (*base[:4], bytes(31) + b"\1"),
    ]
    assert len({digest(*variant) for variant in variants}) == len(variants)
    assert len(consent.consent_hash(notice, consent.PURPOSE, consent.RETENTION, bytes(32))) == 32


def test_the_hash_of_a_known_consent_never_changes() -> None:
    """The parts written out by hand; a change here puts every face to sleep."""
    parts = b"\x01\0\0\0n\x01\0\0\0e\x01\0\0\0z\x01\0\0\0p\x01\0\0\0r\x20\0\0\0" + bytes(32)
    expected = hashlib.blake2b(parts, digest_size=32, person=b"doorward-consent").digest()
    assert consent.consent_hash(consent.Notice("n", ("e", "z")), "p", "r", bytes(32)) == expected


def test_both_notices_say_how_to_erase_and_that_a_face_is_not_needed() -> None:
    notice = consent.read_notice()
    words = {"en": ("do not need this", "02 #", "twins", "PIN"), "zh": ("可以不用人脸", "02 #", "双胞胎", "密码")}
    for language, expected in words.items():
        assert all(word in notice.text(language) for word in expected)


def test_a_missing_notice_is_a_fault_and_not_a_silent_consent(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot be read"):
        consent.read_notice(tmp_path)
