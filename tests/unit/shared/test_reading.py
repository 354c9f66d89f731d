"""What is read where somebody put something else than a file: nothing waits, nothing grows, and one reason is given."""

from __future__ import annotations

import errno
import os
import re
import socket
import threading
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from device import config, learned, manifest, reading
from device.desk.joining import steps
from device.desk.page import certificate
from device.desk.papers import files as papers
from device.desk.setup import answers, writing
from device.desk.setup.draft import NEW, Draft
from device.desk.upkeep import cli as upkeep
from device.errors import ConfigRefused, Fault, Refusal
from device.handover import credential
from device.lock import durable
from device.lock.policy import VersionFile
from device.sealing.files import DiskFiles
from device.vault import tail
from provisioning import authority, cli_join, cli_reporting, fleet, identity, reporting, retiring, timetable

GIGABYTES = 10 << 30
SOON_S = 20.0  # far beyond what refusing takes; a pipe without a writer would wait forever


def within(act: Callable[[], object]) -> Exception | None:
    """What `act` raises. Fails the test if it waits."""
    ended: list[Exception | None] = []

    def run() -> None:
        try:
            act()
        except Exception as cause:  # noqa: BLE001 - whatever it is, the test looks at it
            ended.append(cause)
        else:
            ended.append(None)

    # A daemon: one that waits for a pipe would keep the test run from ending.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(SOON_S)
    assert ended, "it waits"
    return ended[0]


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A pipe nobody writes to."""
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def test_a_file_gives_what_it_holds_and_no_more_than_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "it").write_bytes(bytes(range(256)) * 1000)
    assert reading.content(tmp_path / "it", 1 << 20) == bytes(range(256)) * 1000
    assert reading.content(tmp_path / "it", 5) == bytes(range(5))
    assert reading.whole(tmp_path / "it", 256_000) == bytes(range(256)) * 1000
    with pytest.raises(OSError, match="too large") as refused:
        reading.whole(tmp_path / "it", 255_999)
    assert refused.value.errno == errno.EFBIG


def test_a_file_that_may_hold_so_much_is_refused_in_the_readers_own_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    assert reading.within(tmp_path / "file", 10, ConfigRefused, "too long") == b"0123456789"
    with pytest.raises(ConfigRefused, match=r"^too long$"):
        reading.within(tmp_path / "file", 9, ConfigRefused, "too long")
    with pytest.raises(ConfigRefused, match=r"^/.*/nowhere cannot be read: No such file or directory$"):
        reading.within(tmp_path / "nowhere", 9, ConfigRefused, "too long")


def test_a_file_of_ten_gigabytes_takes_no_memory(tmp_path: Path) -> None:
    with (tmp_path / "it").open("wb") as file:
        file.truncate(GIGABYTES)
    tracemalloc.start()
    try:
        with pytest.raises(OSError, match="too large"):
            reading.whole(tmp_path / "it", 1 << 20)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_text_has_one_kind_of_line_ends(tmp_path: Path) -> None:
    (tmp_path / "it").write_bytes("[door]\r\nid = 'ä'\r\n".encode())
    assert reading.text(tmp_path / "it", 100) == "[door]\nid = 'ä'\n"
    (tmp_path / "it").write_bytes(b"\xff")
    with pytest.raises(UnicodeDecodeError):
        reading.text(tmp_path / "it", 100)


def test_what_is_no_file_is_refused_at_once_by_what_it_is(pipe: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(pipe)
    for path in (pipe, tmp_path / "link", Path("/dev/zero")):
        refused = within(partial(reading.content, path, 10))
        assert isinstance(refused, OSError)
        assert refused.strerror == "it is a pipe or a device and no file"
    with pytest.raises(IsADirectoryError):
        reading.content(tmp_path, 10)
    folder = os.open(tmp_path, os.O_RDONLY)  # the name of a socket may have 107 bytes, and pytest's folders have more
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"/proc/self/fd/{folder}/socket")
        os.close(folder)
        with pytest.raises(OSError, match="No such device"):
            reading.content(tmp_path / "socket", 10)
    with pytest.raises(FileNotFoundError):
        reading.content(tmp_path / "nothing", 10)


def test_what_a_shell_hands_over_is_read_to_its_end() -> None:
    out, into = os.pipe()

    def write() -> None:
        os.write(into, b"a document")
        os.close(into)

    writer = threading.Timer(0.05, write)
    writer.start()
    assert reading.content(f"/dev/fd/{out}", 100) == b"a document"
    writer.join()
    os.close(out)


def test_no_descriptor_stays_open(pipe: Path, tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in (pipe, tmp_path):
        with pytest.raises(OSError, match=r"no file|directory"):
            reading.content(path, 10)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


READERS: dict[str, Callable[[Path], object]] = {
    "doorctl apply": upkeep._read_document,
    "doorctl receipt verify": papers.read,
    "doorctl join --label": steps.read_label,
    "doorctl join --answer": steps.read_answer,
    "doorctl setup --answers": lambda path: answers.read(path, Draft(NEW)),
    "doorctl setup, door.toml": writing._now,
    "door.toml": config.load,
    "joined.toml": learned.text_of,
    "page.pem": certificate.read,
    "manifest.toml": lambda path: manifest._read(path, 100),
    "impostor-tail.toml": lambda path: tail.load(path.parent, bytes(32), path.name),
    "a record": DiskFiles().read,
    "policy-version": lambda path: VersionFile(path).load(),
    "a file of lock's": durable.load,
    "ca.key": lambda path: authority._read(path, "missing"),
    "document.key": fleet.read_key,
    "alarm.key": lambda path: reporting.load_key(path, "a passphrase"),
    "doorward door approve": cli_join._read,
    "doorward door identity": identity.read,
    "doorward alarm read": cli_reporting._content,
    "doorward door retired": lambda path: retiring.give_up(None, "door", path, now_unix=0),  # type: ignore[arg-type]
    "doorward policy set": timetable.read,
}


@pytest.mark.parametrize("name", READERS)
def test_nobody_waits_for_a_pipe_that_lies_where_a_file_should(pipe: Path, name: str) -> None:
    refused = within(lambda: READERS[name](pipe))
    assert isinstance(refused, (Refusal, Fault, OSError)), refused
    assert re.search(r"it is a pipe or a device and no file", str(refused))


def test_a_key_that_is_a_pipe_is_no_key(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(pipe.parent))
    refused = within(lambda: credential(pipe.name))
    assert str(refused) == "the key pipe cannot be read"


def test_a_reader_that_opened_it_as_files_are_opened_would_wait(pipe: Path) -> None:
    """The fault seeded: what every reader here did before. The pipe gets a writer, so that the thread may end."""
    began = threading.Event()

    def as_before() -> None:
        began.set()
        pipe.read_bytes()

    thread = threading.Thread(target=as_before, daemon=True)
    thread.start()
    assert began.wait(SOON_S)
    thread.join(0.3)
    assert thread.is_alive()
    os.close(os.open(pipe, os.O_WRONLY))
    thread.join(SOON_S)
    assert not thread.is_alive()
