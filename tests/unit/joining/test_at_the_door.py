"""`doorctl join`: judged before anything is written, and written so that the last file decides."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from nacl.signing import SigningKey

from device import certificates, config, installing
from device.desk.cli import cli
from device.desk.joining import cli as join_cli
from device.desk.joining import steps
from device.desk.joining.steps import AtTheDoor
from device.errors import ConfigRefused, JoiningRefused, NotJoined, StoreFault
from device.joining import Answer, Request, claim_key
from device.paths import Paths
from tests.unit.joining.papers import (
    CLAIM_KEY,
    DOCUMENT_KEY,
    DOOR,
    HOUR,
    MANAGER_KEY,
    NOW_UNIX,
    OTHER_DOOR,
    SECRET,
    Authority,
    label,
)

AUTHORITY = Authority.make()
DAY_S = 86_400
LABEL = label(AUTHORITY)


@pytest.fixture
def door(tmp_path: Path) -> AtTheDoor:
    paths = Paths(tmp_path)
    paths.config.parent.mkdir(parents=True)
    paths.config.write_text("[lock]\nunlock_ms = 5000\n", encoding="utf-8")
    return AtTheDoor(paths, NOW_UNIX)


def untouched(door: AtTheDoor) -> bool:
    return sorted(path.name for path in door.paths.root.rglob("*") if path.is_file()) == ["door.toml"]


def test_a_label_makes_a_door_a_managers(door: AtTheDoor) -> None:
    with pytest.raises(NotJoined):
        config.load(door.paths.config)
    door.take(LABEL)
    read = config.load(door.paths.config)
    assert (read.door.id, read.door.manager_key) == (DOOR.hex(), MANAGER_KEY.hex())
    assert read.report.broker == "mqtts://broker.example:8883"
    assert read.lock.unlock_ms == 5000


def test_a_door_takes_one_label(door: AtTheDoor) -> None:
    door.take(LABEL)
    key = door.public()
    with pytest.raises(JoiningRefused, match="joined already"):
        door.take(LABEL)
    assert door.public() == key, "the fingerprint that was read out still holds"


def test_an_expired_label_changes_nothing(door: AtTheDoor) -> None:
    with pytest.raises(JoiningRefused, match="ended on"):
        AtTheDoor(door.paths, HOUR * 3600).take(LABEL)
    assert untouched(door)


@pytest.mark.parametrize("now", [0, 10**11])
def test_a_clock_that_says_what_cannot_be_judges_no_label(door: AtTheDoor, now: int) -> None:
    AtTheDoor(door.paths, now).take(LABEL)
    assert door.joined


@pytest.mark.parametrize("text", ['[door]\nid = "00112233445566ab"\n', '[report]\nbroker = ""\n', "[door", "[lokc]\n"])
def test_a_door_toml_that_says_otherwise_stops_the_joining_before_it_begins(door: AtTheDoor, text: str) -> None:
    door.paths.config.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigRefused):
        door.take(LABEL)
    assert untouched(door)


def test_when_the_last_file_cannot_be_written_the_door_has_not_joined(
    door: AtTheDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = installing.store

    def full(path: Path, content: bytes, mode: int = 0o644) -> None:
        if path.name == "joined.toml":
            msg = "no space"
            raise StoreFault(msg)
        store(path, content, mode)

    monkeypatch.setattr(installing, "store", full)
    with pytest.raises(StoreFault):
        door.take(LABEL)
    with pytest.raises(NotJoined):
        config.load(door.paths.config)
    monkeypatch.undo()
    door.take(LABEL)
    assert door.joined


def test_the_request_is_one_the_manager_reads_and_the_answer_ends_it(door: AtTheDoor) -> None:
    door.take(LABEL)
    asked = Request.read(door.request(DOCUMENT_KEY), CLAIM_KEY)
    assert asked.document_key == DOCUMENT_KEY
    assert asked.public == door.public()
    assert door.waits()
    assert door.install(AUTHORITY.answer(asked).pack()) is not None
    assert not door.waits()


def joined(door: AtTheDoor, days: float = 365) -> None:
    door.take(LABEL)
    door.install(AUTHORITY.answer(Request.read(door.request(DOCUMENT_KEY), CLAIM_KEY), days=days).pack())


def test_a_door_whose_certificate_ended_writes_the_question_for_the_next_one(door: AtTheDoor) -> None:
    """It was off for a year: the broker lets it in no more, so it cannot ask there."""
    joined(door)
    later = AtTheDoor(door.paths, NOW_UNIX + 700 * DAY_S)
    assert "ended on" in steps.lacks(later)
    question = later.request(DOCUMENT_KEY)
    assert certificates.key_asked_for(question, DOOR) == door.public()
    answer = AUTHORITY.answer(Request(DOOR, DOCUMENT_KEY, question), began_days=-699)
    assert later.install(answer.pack()) is not None
    assert not steps.lacks(later)


def test_a_door_without_a_broker_has_no_such_question(door: AtTheDoor) -> None:
    door.take(label(None))
    door.install(Answer(DOOR).pack())
    assert not steps.lacks(door)
    with pytest.raises(JoiningRefused, match="no label"):
        door.request(DOCUMENT_KEY)


def test_a_door_whose_label_is_over_takes_another_for_itself(door: AtTheDoor) -> None:
    door.take(LABEL)
    learned = installing.joined(door.paths.config).read_bytes()
    other = label(AUTHORITY, secret=bytes(16), expires_hour=HOUR + 999)
    AtTheDoor(door.paths, HOUR * 3600).take(other)
    asked = Request.read(door.request(DOCUMENT_KEY), claim_key(bytes(16)))
    assert asked.public == door.public()
    assert installing.joined(door.paths.config).read_bytes() == learned


@pytest.mark.parametrize("gone", ["door.key", "door.pem"])
def test_a_door_that_lost_key_or_certificate_joins_again_by_a_new_label(door: AtTheDoor, gone: str) -> None:
    joined(door)
    (door.files.tls / gone).unlink()
    other = label(AUTHORITY, secret=bytes(16))
    door.take(other)
    asked = Request.read(door.request(DOCUMENT_KEY), claim_key(bytes(16)))
    assert door.install(AUTHORITY.answer(asked).pack()) is not None
    assert door.files.works(NOW_UNIX)


OTHERS = {
    "another door": {"door_id": OTHER_DOOR},
    "another manager": {"manager_key": bytes(SigningKey(bytes(32)).verify_key)},
    "another broker": {"host": "evil.example"},
    "the same, while all is well": {},
}


@pytest.mark.parametrize("changes", OTHERS.values(), ids=OTHERS)
def test_what_a_joined_door_has_is_never_put_at_stake(door: AtTheDoor, changes: dict[str, object]) -> None:
    joined(door)
    before = {path: path.read_bytes() for path in door.paths.root.rglob("*") if path.is_file()}
    with pytest.raises(JoiningRefused, match="joined already"):
        door.take(label(AUTHORITY, secret=bytes(16), **changes))
    assert {path: path.read_bytes() for path in door.paths.root.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("changes", [each for each in OTHERS.values() if each])
def test_nor_does_a_door_in_need_become_another_one_or_another_manager_s(
    door: AtTheDoor, changes: dict[str, object]
) -> None:
    joined(door)
    later = AtTheDoor(door.paths, NOW_UNIX + 400 * DAY_S)
    before = {path: path.read_bytes() for path in door.paths.root.rglob("*") if path.is_file()}
    with pytest.raises(JoiningRefused, match="joined already"):
        later.take(label(AUTHORITY, secret=bytes(16), expires_hour=HOUR + 10_000, **changes))
    assert {path: path.read_bytes() for path in door.paths.root.rglob("*") if path.is_file()} == before
    later.take(label(AUTHORITY, secret=bytes(16), expires_hour=HOUR + 10_000))
    assert later.waits()


def test_seeded_fault_without_that_check_another_manager_s_label_would_be_taken(
    door: AtTheDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined(door)
    before = door.public()
    monkeypatch.setattr(AtTheDoor, "_refuse_needless", lambda _door, _label: None)
    door.take(label(AUTHORITY, secret=bytes(16)))
    assert door.public() != before


def test_a_label_without_a_broker_after_one_that_failed_leaves_no_authority(
    door: AtTheDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer holds no certificate, and was refused for ever because of the file that the try before left."""
    store = installing.store

    def full(path: Path, content: bytes, mode: int = 0o644) -> None:
        if path.name == "joined.toml":
            msg = "no space"
            raise StoreFault(msg)
        store(path, content, mode)

    with monkeypatch.context() as patched:
        patched.setattr(installing, "store", full)
        with pytest.raises(StoreFault):
            door.take(LABEL)
    door.take(label(None))
    assert door.install(Answer(DOOR).pack()) is None
    assert not door.waits()


def run(door: AtTheDoor, monkeypatch: pytest.MonkeyPatch, *words: str, given: str = "") -> tuple[int, str]:
    monkeypatch.setenv("DOORWARD_ROOT", str(door.paths.root))
    monkeypatch.setattr(join_cli, "_document_key", lambda _paths: DOCUMENT_KEY)
    monkeypatch.setattr(AtTheDoor, "here", classmethod(lambda cls, paths: cls(paths, NOW_UNIX)))
    ran = CliRunner().invoke(cli, ["join", *words], input=given)
    assert ran.exception is None or isinstance(ran.exception, SystemExit)
    return ran.exit_code, ran.output


def test_the_whole_way_by_file(door: AtTheDoor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    out, answer = tmp_path / "request", tmp_path / "answer"
    code, said = run(door, monkeypatch, "--out", str(out), given=LABEL.text())
    assert code == 0, said
    asked = Request.read(out.read_bytes(), CLAIM_KEY)
    assert asked.fingerprint in said
    assert SECRET.hex() not in said
    assert LABEL.text()[10:40] not in said
    answer.write_bytes(AUTHORITY.answer(asked).pack())
    code, said = run(door, monkeypatch, "--answer", str(answer))
    assert (code, "has its certificate" in said) == (0, True)
    code, said = run(door, monkeypatch)
    assert asked.fingerprint in said
    assert "nothing is left" in said


def test_a_damaged_label_gets_one_sentence_and_nothing_is_written(
    door: AtTheDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = LABEL.text()
    code, said = run(door, monkeypatch, given=text[:-3] + "AAA")
    assert code == 1
    assert len(said.strip().splitlines()) == 1
    assert text[20:40] not in said
    assert untouched(door)


def test_a_request_that_has_no_place_stops_the_joining_before_it_begins(
    door: AtTheDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = door.paths.config
    assert run(door, monkeypatch, "--out", str(taken), given=LABEL.text())[0] == 1
    assert not door.joined


def test_as_root_a_link_of_the_room_is_not_followed(door: AtTheDoor, tmp_path: Path) -> None:
    state = door.paths.state("report")
    (state / "tls").mkdir(parents=True)
    victim = tmp_path / "victim"
    victim.write_text("untouched", encoding="utf-8")
    for name in ("door.key", "door.key.new"):
        (state / "tls" / name).symlink_to(victim)
    door.take(LABEL)
    assert victim.read_text(encoding="utf-8") == "untouched"
    assert not (state / "tls" / "door.key").is_symlink()


def test_a_door_that_lacks_nothing_says_nothing_of_it_and_one_that_does_says_the_way_back(door: AtTheDoor) -> None:
    assert not steps.lacks(door), "not joined: that has its own sentence"
    door.take(LABEL)
    assert not steps.lacks(door), "the answer is still to come"
    door.install(AUTHORITY.answer(Request.read(door.request(DOCUMENT_KEY), CLAIM_KEY)).pack())
    assert not steps.lacks(door)
    for content, why in ((b"x", "damaged"), (None, "no certificate")):
        path = door.files.tls / "door.pem"
        path.unlink() if content is None else path.write_bytes(content)
        said = steps.lacks(door)
        assert why in said
        assert "doorctl join --out" in said
