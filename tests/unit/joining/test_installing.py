"""What joining leaves on the disk: whole files in an order that may be cut anywhere."""

import errno
import os
from pathlib import Path

import pytest

from device import certificates, config, installing
from device.errors import JoiningRefused, NotJoined, Refusal, StoreFault
from device.installing import Joining
from device.joining import Answer
from tests.unit.joining.papers import DOOR, NOW_UNIX, OTHER_DOOR, Authority, label, request

AUTHORITY = Authority.make()
LABEL = label(AUTHORITY)


@pytest.fixture
def files(tmp_path: Path) -> Joining:
    made = Joining(tmp_path / "report")
    made.prepare(LABEL)
    return made


def everything(files: Joining) -> dict[str, bytes]:
    return {str(path.relative_to(files.state)): path.read_bytes() for path in files.state.rglob("*") if path.is_file()}


def test_a_prepared_door_has_key_authority_and_label_and_no_certificate(files: Joining) -> None:
    assert set(everything(files)) == {"tls/door.key", "tls/ca.pem", "join/label"}
    assert files.label() == LABEL
    assert files.certificate() is None
    for secret in ("tls/door.key", "join/label"):
        assert (files.state / secret).stat().st_mode & 0o777 == 0o600


def test_an_answer_is_installed_and_the_label_goes(files: Joining) -> None:
    found = files.install(AUTHORITY.answer(request(files.key())), DOOR, NOW_UNIX)
    assert found == files.certificate()
    assert files.label() is None
    assert set(everything(files)) == {"tls/door.key", "tls/ca.pem", "tls/door.pem"}


def test_an_answer_that_is_not_believed_changes_no_file(files: Joining) -> None:
    before = everything(files)
    wrong = [
        AUTHORITY.answer(request(certificates.new_key())),
        AUTHORITY.answer(request(files.key(), OTHER_DOOR)),
        Authority.make().answer(request(files.key())),
        AUTHORITY.answer(request(files.key()), days=1, began_days=2),
        Answer(DOOR),
    ]
    for answer in wrong:
        with pytest.raises(JoiningRefused):
            files.install(answer, DOOR, NOW_UNIX)
        assert everything(files) == before


def test_a_certificate_that_ends_sooner_than_the_present_one_is_refused(files: Joining) -> None:
    """Who kept an old answer cannot bring it back."""
    files.install(AUTHORITY.answer(request(files.key()), days=365), DOOR, NOW_UNIX)
    before = everything(files)
    with pytest.raises(JoiningRefused, match="lasts longer"):
        files.install(AUTHORITY.answer(request(files.key()), days=30), DOOR, NOW_UNIX)
    assert everything(files) == before


def test_without_a_broker_an_answer_only_ends_the_waiting(tmp_path: Path) -> None:
    files = Joining(tmp_path)
    files.prepare(label(None))
    assert files.install(Answer(DOOR), DOOR, NOW_UNIX) is None
    assert files.label() is None
    with pytest.raises(JoiningRefused):
        files.install(AUTHORITY.answer(request(files.key())), DOOR, NOW_UNIX)


def test_a_door_with_a_certificate_is_not_prepared_again(files: Joining) -> None:
    files.install(AUTHORITY.answer(request(files.key())), DOOR, NOW_UNIX)
    before = everything(files)
    with pytest.raises(JoiningRefused):
        files.prepare(LABEL)
    assert everything(files) == before


def test_on_a_full_disk_the_old_file_stands_and_nothing_lies_beside_it(
    files: Joining, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = AUTHORITY.answer(request(files.key()))
    files.install(answer, DOOR, NOW_UNIX)
    before = everything(files)
    write = os.write

    def full(file: int, content: bytes) -> int:
        if len(content) < 10:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, content[: len(content) // 2])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreFault, match="No space left"):
        files.install(AUTHORITY.answer(request(files.key()), days=390), DOOR, NOW_UNIX)
    assert everything(files) == before


class Cut(BaseException):
    """The power goes."""


@pytest.mark.parametrize("at", range(1, 6))
def test_cut_anywhere_a_door_has_joined_or_not_and_may_try_again(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door_toml = tmp_path / "door.toml"
    door_toml.write_text("", encoding="utf-8")
    files = Joining(tmp_path / "report")
    calls = 0
    replace = Path.replace

    def replaced(path: Path, target: Path) -> Path:
        nonlocal calls
        calls += 1
        if calls == at:
            raise Cut
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", replaced)

    def join() -> None:
        files.prepare(LABEL)
        installing.store(installing.joined(door_toml), installing.settings(LABEL).encode())

    try:
        join()
    except Cut:
        with pytest.raises(NotJoined):
            config.load(door_toml)
        join()
    assert config.load(door_toml).report.broker == LABEL.broker
    assert files.label() == LABEL
    answer = AUTHORITY.answer(request(files.key()))
    try:
        files.install(answer, DOOR, NOW_UNIX)
    except Cut:
        assert files.certificate() is None
        assert files.label() == LABEL
        files.install(answer, DOOR, NOW_UNIX)
    assert files.certificate() is not None
    assert files.label() is None


@pytest.mark.parametrize("content", [b"", b"DW1:", b"x" * 100_000, b"\xff" * 20])
def test_a_damaged_label_is_refused_and_not_taken_for_none(files: Joining, content: bytes) -> None:
    (files.state / "join" / "label").write_bytes(content)
    with pytest.raises((Refusal, StoreFault)):
        files.label()
