"""From the start of a process to its end: readiness, watchdog, signals, and every way to fail."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from device import edges, journal, process, service, wire
from device.edges import Room
from device.errors import BoltFault, CameraFault, ConfigRefused, KeyFault, NotPermitted
from device.handover import credential
from device.journal import Notifier, in_words
from device.link import Link
from device.paths import Paths
from device.service import EXIT_FAULT, EXIT_REFUSED, Service
from tests.contract.service.frame import Recorder, bound, edge_between

SECRET = "482913"
pytestmark = pytest.mark.usefixtures("as_a_process")


@pytest.fixture
def systemd(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Where sd_notify goes."""
    monkeypatch.setenv("DOORWARD_ROOT", str(paths.root))
    address = paths.root / "notify"
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(str(address))
    sock.setblocking(False)
    monkeypatch.setenv("NOTIFY_SOCKET", str(address))
    with sock:
        yield sock


def told(systemd: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(systemd.recv(200).decode())
        except BlockingIOError:
            return found


def due_now(work: Recorder, on_tick: Callable[[], None]) -> Recorder:
    """Let the loop call `on_tick` at its first turn. lock has no sockets of its own: the plainest room to run."""
    work.due_s, work.on_tick = 0.0, on_tick
    return work


def ask_to_end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def fails_with(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_loop_in_order(systemd: socket.socket, number: signal.Signals) -> None:
    work = due_now(Recorder(), lambda: os.kill(os.getpid(), number))
    assert process.main(Room.LOCK, lambda _service: work) == 0
    assert work.stopped == 1
    assert told(systemd) == ["READY=1", "STOPPING=1"]


def test_a_signal_wakes_a_loop_that_has_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the wake-up pipe the handler would only run when something else happens (PEP 475)."""
    monkeypatch.setattr(edges, "edges_out_of", lambda _room: ())
    work = Recorder()
    running = Service(Room.LOCK, Paths(Path("/nonexistent")))
    signalled = threading.Timer(0.05, ask_to_end)
    overslept = threading.Timer(30.0, running.fail)

    def falls_asleep() -> None:
        work.due_s = None
        for timer in (signalled, overslept):  # not before: until the loop catches it, the signal ends the tests
            timer.start()

    due_now(work, falls_asleep)
    assert running.run(work) == 0, "it did not sleep until somebody else woke it"
    overslept.cancel()
    for timer in (signalled, overslept):
        timer.join()
    assert work.stopped == 1


@dataclass
class Lingering:
    """A room that is told to end at its first turn, and says each time it is asked whether it still has to serve."""

    answers: list[bool]
    work: Recorder = field(default_factory=Recorder)
    turns: int = 0

    def __call__(self, running: Service) -> Recorder:
        running.linger(lambda: self.answers.pop(0))
        return due_now(self.work, self.turn)

    def turn(self) -> None:
        self.turns += 1
        if self.turns == 1:
            ask_to_end()


@pytest.mark.usefixtures("systemd")
def test_a_room_that_has_not_to_linger_ends_at_once() -> None:
    room = Lingering([False])
    assert process.main(Room.LOCK, room) == 0
    assert (room.turns, room.work.stopped) == (1, 1)


def test_a_room_that_has_to_linger_works_on_until_it_has_not(systemd: socket.socket) -> None:
    room = Lingering([True, True, True, False, True])
    assert process.main(Room.LOCK, room) == 0
    assert (room.answers, room.turns, room.work.stopped) == ([True], 4, 1)
    assert told(systemd) == ["READY=1", "STOPPING=1"]


@pytest.mark.usefixtures("systemd")
def test_a_failure_does_not_linger_and_ends_a_room_that_does() -> None:
    for first in ((), (ask_to_end,)):
        running = Service(Room.LOCK, Paths(Path("/nonexistent")))
        running.linger(lambda: True)
        acts = iter((*first, running.fail))
        work = Recorder()
        due_now(work, lambda acts=acts: next(acts)())  # type: ignore[misc]  # mypy infers no type for a default
        assert running.run(work) == EXIT_FAULT
        assert work.stopped == 1


def test_the_watchdog_is_fed_by_a_healthy_loop_alone(systemd: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "10000000")
    work = Recorder()
    turns: list[list[str]] = []

    def on_tick() -> None:
        turns.append(told(systemd))
        work.well = len(turns) not in (2, 3)
        if len(turns) == 5:
            ask_to_end()

    assert process.main(Room.LOCK, lambda _service: due_now(work, on_tick)) == 0
    assert turns == [["READY=1"], ["WATCHDOG=1"], [], [], ["WATCHDOG=1"]]


def test_without_a_watchdog_nobody_is_told(systemd: socket.socket) -> None:
    assert process.main(Room.LOCK, lambda _service: due_now(Recorder(), ask_to_end)) == 0
    assert "WATCHDOG=1" not in told(systemd)


@dataclass
class Sleepless:
    """A clock and a selector in one: sleeping takes no time, and how long it was is kept."""

    now_s: float
    slept_s: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now_s

    def select(self, timeout: float) -> list[object]:
        self.slept_s.append(timeout)
        self.now_s += timeout
        return []


def rested(room: Room, paths: Paths, now_s: float, until_s: float, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long a room slept each time from `now_s` on, if nothing comes before `until_s`."""
    running, world, work = Service(room, paths), Sleepless(now_s), Recorder(due_s=until_s)
    running.take_up(work)
    running._selector.close()
    monkeypatch.setattr(running, "_selector", world)
    monkeypatch.setattr(service, "time", world)
    running.turn()
    assert world.now_s == until_s
    return world.slept_s


def test_all_rooms_wake_at_the_same_moments_twice_as_often_as_the_watchdog_bites(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "10000000")
    assert rested(Room.REPORT, paths, 100.0, 117.0, monkeypatch) == [5.0, 5.0, 5.0, 2.0]
    assert rested(Room.LOCK, paths, 101.5, 112.0, monkeypatch) == [3.5, 5.0, 2.0]
    assert rested(Room.EYE, paths, 104.75, 105.0, monkeypatch) == [0.25]


def test_a_room_at_rest_feeds_while_it_is_well_and_is_asked_for_nothing_else(
    paths: Paths, systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "10000000")
    asked: list[str] = []

    class Resting(Recorder):
        def deadline(self) -> float | None:
            asked.append("deadline")
            return super().deadline()

        def healthy(self) -> bool:
            asked.append("healthy")
            return asked.count("healthy") != 2  # it hangs once, and nothing feeds it meanwhile

    running, world = Service(Room.REPORT, paths), Sleepless(100.0)
    running.take_up(Resting(due_s=126.0))
    running._selector.close()
    monkeypatch.setattr(running, "_selector", world)
    monkeypatch.setattr(service, "time", world)
    running.turn()
    assert asked == ["deadline", *["healthy"] * 5, "deadline", "healthy"]
    assert told(systemd) == ["WATCHDOG=1"] * 5
    running.notifier.close()


def test_a_word_reaches_whoever_listens_since_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "notify"
    monkeypatch.setenv("NOTIFY_SOCKET", str(path))
    notifier = Notifier()
    notifier.tell("lost")  # nobody listens yet
    for word in ("first", "second"):
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listener:
            listener.bind(str(path))
            notifier.tell(word)
            listener.settimeout(5.0)
            assert listener.recv(64) == word.encode()
        path.unlink()
    notifier.close()


def test_readiness_comes_before_a_notify_socket_that_is_gone_hurts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/nonexistent/notify")
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    assert process.main(Room.LOCK, lambda _service: due_now(Recorder(), ask_to_end)) == 0


# ---- every way to fail


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigRefused("[door] id is missing"), EXIT_REFUSED),
        (NotPermitted("started by hand"), EXIT_REFUSED),
        (KeyFault("the key is not there"), EXIT_FAULT),
        (BoltFault("the line is taken"), EXIT_FAULT),
    ],
)
def test_what_fails_while_building_ends_with_its_sentence(
    error: Exception, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    def build(_service: Service) -> Recorder:
        raise error

    assert process.main(Room.VAULT, build) == code
    assert capfd.readouterr().err == f"vault: {error}\n"


@pytest.mark.usefixtures("systemd")
def test_a_refusal_while_serving_is_started_again_and_does_not_keep_the_room_down(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """78 means: starting again will not help. A keeper that stayed down would keep everybody out."""
    work = due_now(Recorder(), fails_with(NotPermitted("lock must not send Look to vault")))
    assert process.main(Room.LOCK, lambda _service: work) == EXIT_FAULT
    assert work.stopped == 1
    assert capfd.readouterr().err == "lock: lock must not send Look to vault\n"


def test_a_fault_while_serving_ends_the_process_after_it_was_made_safe(
    systemd: socket.socket, capfd: pytest.CaptureFixture[str]
) -> None:
    work = due_now(Recorder(), fails_with(CameraFault("no frame came in time")))
    assert process.main(Room.LOCK, lambda _service: work) == EXIT_FAULT
    assert work.stopped == 1
    assert told(systemd)[-1] == "STOPPING=1"
    assert capfd.readouterr().err == "lock: no frame came in time\n"


@pytest.mark.parametrize("error", [ValueError(SECRET), KeyError(SECRET), RecursionError(), MemoryError(SECRET)])
@pytest.mark.usefixtures("systemd")
def test_an_error_nobody_foresaw_ends_with_one_sentence_that_holds_no_data(
    capfd: pytest.CaptureFixture[str], error: Exception
) -> None:
    work = due_now(Recorder(), fails_with(error))
    assert process.main(Room.LOCK, lambda _service: work) == EXIT_FAULT
    assert work.stopped == 1
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert SECRET not in said
    assert "Traceback" not in said
    assert said.startswith(f"lock: {type(error).__name__} at device.service:")


@pytest.mark.usefixtures("systemd")
def test_an_error_nobody_foresaw_in_a_handler_ends_the_process_after_work_stopped(
    paths: Paths, capfd: pytest.CaptureFixture[str]
) -> None:
    def handler(_link: Link, msg: wire.Message) -> None:
        assert isinstance(msg, wire.Verdict)
        known: dict[int, str] = {}
        known[msg.slot]

    listener = bound(paths, edge_between(Room.LOCK, Room.KEEPER))
    ends: list[socket.socket] = []

    def answer() -> None:
        listener.setblocking(False)
        try:
            end, _ = listener.accept()
        except BlockingIOError:
            return
        ends.append(end)
        end.send(wire.pack(wire.Verdict(bytes(16), 1, wire.Outcome.ACCEPTED, 4829)))

    work = due_now(Recorder(on_message=handler), answer)
    assert process.main(Room.LOCK, lambda _service: work) == EXIT_FAULT
    assert work.stopped == 1
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert "KeyError at " in said
    assert "4829" not in said
    for sock in (listener, *ends):
        sock.close()


def test_what_fails_while_building_without_a_sentence_is_told_by_its_place_too(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def build(_service: Service) -> Recorder:
        raise ZeroDivisionError(SECRET)

    assert process.main(Room.EYE, build) == EXIT_FAULT
    said = capfd.readouterr().err
    assert said.startswith("eye: ZeroDivisionError at device.process:")
    assert SECRET not in said


@pytest.mark.parametrize("error", [BoltFault("the line is gone"), OSError(SECRET)])
@pytest.mark.usefixtures("systemd")
def test_a_stop_that_fails_is_told_and_does_not_hide_what_ended_the_loop(
    capfd: pytest.CaptureFixture[str], error: Exception
) -> None:
    work = due_now(Recorder(on_stop=fails_with(error)), fails_with(CameraFault("no frame came in time")))
    assert process.main(Room.LOCK, lambda _service: work) == EXIT_FAULT
    first, second = capfd.readouterr().err.splitlines()
    assert first.startswith("lock did not stop in order: ")
    assert second == "lock: no frame came in time"
    assert SECRET not in first


@pytest.mark.usefixtures("systemd")
def test_a_stop_that_fails_after_a_signal_is_not_reported_as_success(capfd: pytest.CaptureFixture[str]) -> None:
    work = due_now(Recorder(on_stop=fails_with(BoltFault("the line is gone"))), ask_to_end)
    assert process.main(Room.LOCK, lambda _service: work) == EXIT_FAULT
    assert capfd.readouterr().err == "lock did not stop in order: the line is gone\n"


@pytest.mark.usefixtures("systemd")
def test_a_thread_that_dies_takes_its_process_along_in_order(capfd: pytest.CaptureFixture[str]) -> None:
    """A worker that is silently gone would leave people standing before a keypad that only ever says wait."""
    work = Recorder()
    thread = threading.Thread(target=fails_with(ValueError(SECRET)))

    def begin() -> None:
        work.due_s = None
        thread.start()

    assert process.main(Room.LOCK, lambda _service: due_now(work, begin)) == EXIT_FAULT
    thread.join()
    assert work.stopped == 1
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert "ValueError at " in said
    assert SECRET not in said


def test_a_log_that_nobody_reads_ends_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def write(self, _text: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Broken())
    journal.log("heard by nobody")


def test_the_place_of_an_error_is_the_innermost_one_of_ours() -> None:
    with pytest.raises(TypeError) as unpacked:
        wire.unpack(None)  # type: ignore[arg-type]  # on purpose
    assert in_words(unpacked.value).startswith("TypeError at device.wire.base:")
    with pytest.raises(ValueError, match=SECRET) as elsewhere:
        int(SECRET + "x")
    assert in_words(elsewhere.value).startswith("ValueError at ")
    assert SECRET not in in_words(elsewhere.value)
    assert in_words(ValueError(SECRET)) == "ValueError at an unknown place, which nobody foresaw"


# ---- keys, and what a process gives up


def test_a_key_comes_from_the_credentials_folder_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(KeyFault, match="was not handed over"):
        credential("vault.key")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with pytest.raises(KeyFault, match="cannot be read"):
        credential("vault.key")
    (tmp_path / "vault.key").write_bytes(bytes(range(32)))
    assert credential("vault.key") == bytes(range(32))


def test_a_process_of_the_door_leaves_no_core_and_is_not_looked_into() -> None:
    """In a process of its own, because it cannot be undone."""
    script = (
        "import ctypes, resource; from device.process import harden; harden();"
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    root = Path(__file__).parents[3]
    ran = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["(0,", "0)", "0"]
