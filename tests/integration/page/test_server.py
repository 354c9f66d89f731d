"""The page's thread on a real socket: shut and open, full, broken; it goes on, and says nothing of who called."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from device.config.tables import PageTable
from device.desk.page import certificate, listening
from device.desk.page.server import PageServer
from tests.unit.desk.page.house import House

DOOR = '[door]\nid = "00112233445566ff"\n'
PATIENCE_S = 30.0


class Served:
    """A server in its thread, shut at first."""

    def __init__(self, folder: Path) -> None:
        (folder / "door.toml").write_text(DOOR)
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(64)
        self.pem = certificate.file_of(folder)
        self.house = House()
        self.server = PageServer(PageTable(8443), self.listener, self.pem, folder / "door.toml", pause_s=0.05)
        self.server.start()
        until(self.pem.exists, "a certificate")

    @property
    def where(self) -> tuple[str, int]:
        host, port = self.listener.getsockname()
        return host, port

    def get(self, path: str = "/keys") -> int:
        """The status of an answer; 0 if nobody answers."""
        trust = ssl.create_default_context(cadata=self.pem.read_text().partition("-----END PRIVATE KEY-----")[2])
        trust.check_hostname = False
        try:
            return httpx.get(f"https://127.0.0.1:{self.where[1]}{path}", verify=trust, timeout=10).status_code
        except httpx.TransportError:
            return 0

    def open(self) -> None:
        self.server.open(self.house)
        until(lambda: self.get() == 200, "the page")


def until(so: Callable[[], bool], what: str) -> None:
    ends_s = time.monotonic() + PATIENCE_S
    while not so():
        assert time.monotonic() < ends_s, f"{what} did not come"
        time.sleep(0.02)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    yield made
    made.server.close()


def test_shut_it_lets_nobody_speak_and_opened_again_it_serves_again(served: Served) -> None:
    assert served.get() == 0
    served.open()
    served.server.open(served.house)
    assert served.get() == 200, "opened twice it is open"
    served.server.close()
    until(lambda: served.get() == 0, "the end of it")
    served.server.close()
    served.open()


def test_one_who_holds_every_line_gets_no_more_and_a_line_that_is_let_go_is_anothers(served: Served) -> None:
    served.open()
    with ExitStack() as lines:
        # A few more than fit: the line of the question before may still count.
        many = range(listening.MOST_EACH + 4)
        held = [lines.enter_context(socket.create_connection(served.where, 10)) for _ in many]
        until(lambda: served.get() == 0, "the end of lines for this address")
        for line in held:
            line.close()
        until(lambda: served.get() == 200, "a line")


def test_lines_that_say_nothing_keep_nobody_away_from_however_many_addresses(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "SURE_S", 3600.0)
    served.open()
    with ExitStack() as lines:
        for number in range(listening.MOST + 4):  # a few more: those of the questions before may still count
            line = socket.create_connection(served.where, 10, source_address=(f"127.0.5.{1 + number}", 0))
            lines.enter_context(line)
        until(lambda: served.get() == 0, "the end of lines")
        monkeypatch.setattr(listening, "SURE_S", 0.5)
        until(lambda: served.get() == 200, "the line of one who only held it")


def test_nobody_stays_longer_than_they_may(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "LONGEST_S", 0.3)
    served.open()
    with socket.create_connection(served.where, 10) as line:
        line.settimeout(PATIENCE_S)
        assert line.recv(1) == b"", "hung up on, without a word"


HEAD = b"POST /leave HTTP/1.1\r\nHost: 127.0.0.1\r\n"
SLOW_BODY = HEAD + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 4000\r\n\r\ntoken="


@pytest.mark.parametrize("begun", [b"", HEAD, HEAD + b"X: ", SLOW_BODY], ids=["nothing", "a head", "a line", "a form"])
def test_whoever_speaks_byte_by_byte_is_hung_up_on_and_keeps_nobody_waiting(
    served: Served, monkeypatch: pytest.MonkeyPatch, begun: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    """A slow loris, over TLS, on as many lines as one address may have, but for one."""
    monkeypatch.setattr(listening, "LONGEST_S", 2.0)
    served.open()
    time.sleep(listening.LONGEST_S)  # the lines of before are over
    trust = ssl.create_default_context(cadata=served.pem.read_text().partition("-----END PRIVATE KEY-----")[2])
    trust.check_hostname = False
    with ExitStack() as lines:
        slow = []
        for _ in range(listening.MOST_EACH - 2):
            line = lines.enter_context(socket.create_connection(served.where, 10))
            slow.append(lines.enter_context(trust.wrap_socket(line)))
            slow[-1].sendall(begun)
        assert served.get() == 200, "somebody else at the same address"
        left, ends_s = set(slow), time.monotonic() + PATIENCE_S
        while left:
            assert time.monotonic() < ends_s, f"{len(left)} are still listened to"
            time.sleep(0.1)
            for one in list(left):
                try:
                    one.sendall(b"y")
                    one.setblocking(False)
                    if one.recv(4096) == b"":
                        left.discard(one)
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    one.setblocking(True)
                except OSError:
                    left.discard(one)
    assert served.get() == 200
    assert served.house.done == []
    assert capfd.readouterr().err == ""


def test_whoever_hangs_up_in_the_middle_of_a_form_is_no_news(served: Served, capfd: pytest.CaptureFixture[str]) -> None:
    served.open()
    trust = ssl.create_default_context(cadata=served.pem.read_text().partition("-----END PRIVATE KEY-----")[2])
    trust.check_hostname = False
    origin = f"127.0.0.1:{served.where[1]}"
    head = SLOW_BODY.replace(b"Host: 127.0.0.1", f"Host: {origin}\r\nOrigin: https://{origin}".encode())
    with socket.create_connection(served.where, 10) as line, trust.wrap_socket(line) as tls:
        tls.sendall(head)
        time.sleep(0.3)  # it waits for the rest
    for _ in range(5):
        assert served.get() == 200
    assert served.house.done == []
    assert capfd.readouterr().err == ""


def test_a_server_that_falls_over_is_started_again_and_its_thread_never_ends(
    served: Served, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    fell = []

    def falls(*_: object) -> object:
        fell.append(1)
        if len(fell) < 3:
            raise SystemExit(7)
        monkeypatch.undo()
        raise RuntimeError("secret words")

    monkeypatch.setattr("device.desk.page.app.application", falls)
    served.open()
    assert len(fell) == 3
    told = capfd.readouterr().err
    assert told.count("it is tried again") == 3
    assert "secret words" not in told


def test_a_folder_that_cannot_be_written_is_told_and_tried_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "page").write_text("in the way")
    (tmp_path / "door.toml").write_text(DOOR)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = PageServer(PageTable(8443), listener, certificate.file_of(tmp_path), tmp_path / "door.toml", 0.05)
        server.start()
        told = []

        def said() -> bool:
            told.append(capfd.readouterr().err)
            return "it is tried again" in "".join(told)

        until(said, "a word about it")
        (tmp_path / "page").unlink()
        until(certificate.file_of(tmp_path).exists, "a certificate")


@pytest.mark.parametrize(
    "words",
    [
        b"\x16\x03\x01\xff\xff" + bytes(5000),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\0",
        b"SSH-2.0-x\r\n",
    ],
    ids=["no handshake", "plain HTTP", "a zero", "SSH"],
)
def test_what_speaks_no_tls_leaves_no_trace(served: Served, words: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    served.open()
    with socket.create_connection(served.where, 10) as line:
        line.settimeout(PATIENCE_S)
        line.sendall(words)
        line.shutdown(socket.SHUT_WR)
        try:
            while line.recv(4096):
                pass
        except ConnectionResetError:
            pass
    assert served.get() == 200
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "words",
    [
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
        b"POST /leave HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /leave HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        b"\xff" * 3000 + b"\r\n\r\n",
    ],
    ids=["a long head", "a zero", "two lengths", "length and chunks", "two hosts", "an upgrade", "noise"],
)
def test_what_is_no_request_of_ours_does_nothing_and_leaves_no_trace(
    served: Served, words: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    served.open()
    trust = ssl.create_default_context(cadata=served.pem.read_text().partition("-----END PRIVATE KEY-----")[2])
    trust.check_hostname = False
    with socket.create_connection(served.where, 10) as line, trust.wrap_socket(line) as tls:
        tls.settimeout(PATIENCE_S)
        answer = b""
        try:
            tls.sendall(words)
            while piece := tls.recv(4096):
                answer += piece
                if b"\r\n\r\n" in answer:
                    break
        except (ConnectionError, ssl.SSLError):
            pass
    assert not answer.startswith(b"HTTP/1.1 101")
    assert served.house.done == []
    assert served.get() == 200
    assert capfd.readouterr().err == ""
