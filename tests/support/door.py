"""A whole simulated door for tests: six real processes, its manager, its residents, and the commands a person types.

`with door_up() as home:` starts one below a short temporary folder and stops it afterwards. What a person does at the
door (`types`, `looks`) returns what they heard and whether the strike let go; what they type at a terminal (`doorctl`,
`doorsim`) runs the installed command and returns what it said. Nothing here sleeps for a fixed time to make something
true: every wait is for a condition, with a limit far above what an unloaded machine needs.
"""

import codecs
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from click.testing import CliRunner
from nacl.signing import SigningKey

from device import document, wire
from device.desk.cli import cli
from device.desk.sentences import HINTS, PRESS_AND_LOOK
from device.document import SlotOffers
from device.edges import PROCESSES, Room
from device.eye.scene import METER, Reading, read_meter
from device.paths import Paths
from provisioning.invitation import Invitation, new_invitation
from tests.support.room_process import CHECKOUT, short_root
from tools.portraits import portrait
from tools.simulator.client import Door, SimulatorRefused
from tools.simulator.layout import LIGHT_PINS
from tools.simulator.world import HISTORY

PATIENCE_S = 40.0  # how long anything may take on a machine that is busy with other things
COMMANDS = Path(sys.executable).parent
TRIES = 3  # to enrol
PASSING_TONES = ("KEY", "WAIT", "LOOK")  # all others answer the person
EACH_A_SAMPLE = 2.4  # frames a second: eye takes one every 400 ms, so the pictures of a folder all count
CONFIRM = HINTS[wire.Hint.CONFIRM_WITH_PIN]


@dataclass(frozen=True)
class Heard:
    """The answer somebody at the door got, and whether the strike let go."""

    signal: str
    opened: bool


OPENED = Heard("OPENED", opened=True)
REFUSED = Heard("REFUSED", opened=False)
TELL_MANAGER = Heard("TELL_MANAGER", opened=False)
NOTED = Heard("NOTED", opened=False)
ENTER_PIN = Heard("ENTER_PIN", opened=False)
USE_PIN_OR_CARD = Heard("USE_PIN_OR_CARD", opened=False)
CLAIM_FIRST = Heard("CLAIM_FIRST", opened=False)


@dataclass(frozen=True)
class Said:
    """What a command answered: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def facts(self) -> dict[str, Any]:
        """The one object of --json."""
        found: dict[str, Any] = json.loads(self.out.strip().splitlines()[-1])
        return found


@dataclass
class Beside:
    """A command that is still running, and what it wrote so far."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path

    @property
    def ended(self) -> bool:
        """Whether it ended."""
        return self.process.poll() is not None

    @property
    def told(self) -> str:
        """What it told the person so far, beside its answer.

        It may be in the middle of a write, and that write in the middle of a character: what is
        not whole yet is left out, and comes with the next look.
        """
        return codecs.getincrementaldecoder("utf-8")().decode(self.err.read_bytes())

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def said(self) -> Said:
        """Its answer, once it has ended."""
        code = self.process.wait(2 * PATIENCE_S)
        return Said(code, self.out.read_text(), self.err.read_text())


@dataclass
class Manager:
    """A property manager: the key its doors believe, the newest version handed out, and the doors' own keys."""

    key: SigningKey = field(default_factory=SigningKey.generate)
    version: int = 0
    doors: dict[str, Callable[[], bytes]] = field(default_factory=dict)  # who to ask for the document key of a door id

    @property
    def public(self) -> str:
        """What stands in door.toml."""
        return bytes(self.key.verify_key).hex()

    def offer(
        self, door_id: str, slot: int, *, days: int = 14, ends_unix: int = 0, timetable: int = wire.NO_TIMETABLE
    ) -> tuple[bytes, Invitation]:
        """A new document that offers `slot` to whoever types the invitation's digits, until `ends_unix` if not 0.

        It is sealed to the door `door_id`, which must be known (`Home`).
        """
        self.version += 1
        invitation, now = new_invitation(), int(time.time())
        offers = SlotOffers(
            (
                wire.SlotOffer(
                    slot,
                    self.version,
                    now + days * 86400,
                    ends_unix,
                    timetable,
                    invitation.salt,
                    invitation.verifier,
                ),
            )
        )
        return self.sealed(door_id, self.signed(door_id, offers, self.version, now)), invitation

    def signed(self, door_id: str, body: document.Body, version: int, issued_unix: int) -> bytes:
        """The signed document, not sealed yet."""
        return document.sign(
            body, door_id=bytes.fromhex(door_id), version=version, issued_unix=issued_unix, key=self.key
        )

    def sealed(self, door_id: str, content: bytes) -> bytes:
        """`content` as it travels to the door `door_id`."""
        return document.seal(content, door_id=bytes.fromhex(door_id), document_key=self.doors[door_id]())


@dataclass
class Home:
    """One door and everybody who has to do with it."""

    root: Path
    door_id: str
    manager: Manager = field(default_factory=Manager)
    code: Path = CHECKOUT  # where device/ and tools/ are imported from
    _document_key: bytes = b""

    def __post_init__(self) -> None:
        self.manager.doors[self.door_id] = self.document_key

    @property
    def door(self) -> Door:
        """The simulated hardware and its init."""
        return Door(self.root)

    @property
    def paths(self) -> Paths:
        """The door's files."""
        return Paths(self.root)

    # ---- power

    def up(self) -> None:
        """Switch it on. Fails the test if it does not come up."""
        said = self.doorsim("up")
        assert said.code == 0, said

    def document_key(self) -> bytes:
        """What is sealed to, as the manager learns it: from what `doorctl export-identity` says at the door, once."""
        if not self._document_key:
            ends = time.monotonic() + PATIENCE_S
            while (said := self.asks("export-identity")).code:
                assert time.monotonic() < ends, f"the door does not say who it is: {said} {self.told()}"
            assert said.facts["door"] == self.door_id
            self._document_key = bytes.fromhex(said.facts["document_key"])
        return self._document_key

    def down(self) -> None:
        """Switch it off in order."""
        self.door.down()

    def all_up(self) -> None:
        """Return when init says that all six processes are ready."""
        self.until(lambda now: set(now["processes"].values()) == {"up"}, "all processes up")

    # ---- commands

    def command(self, *argv: str) -> list[str]:
        """`doorctl` or `doorsim` out of this door's code, as a command line."""
        if self.code == CHECKOUT:
            return [str(COMMANDS / argv[0]), *argv[1:]]
        module = {"doorctl": "device.desk.cli", "doorsim": "tools.simulator.cli"}[argv[0]]
        return [sys.executable, "-c", f"from {module} import main; main()", *argv[1:]]

    def environ(self) -> dict[str, str]:
        """What the commands of this door run with."""
        # With the path, a command is that of this code and never of another copy that happens to be installed.
        return {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "DOORWARD_ROOT": str(self.root),
            "PYTHONPATH": str(self.code),
        }

    def run(self, *argv: str) -> Said:
        """Run a command to its end."""
        done = subprocess.run(
            self.command(*argv),
            env=self.environ(),
            cwd=self.code,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE_S,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def doorctl(self, *argv: str) -> Said:
        """Run `doorctl ... --json`."""
        return self.run("doorctl", *argv, "--json")

    def asks(self, *argv: str) -> Said:
        """`doorctl ... --json` within this process: the same code asks the same desk over the same socket.

        For whatever a test needs and is not about. A door of other code has commands of its own: they are run.
        """
        if self.code != CHECKOUT:
            return self.doorctl(*argv)
        done = CliRunner().invoke(cli, [*argv, "--json"], env={"DOORWARD_ROOT": str(self.root)})
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Said(done.exit_code, done.stdout, done.stderr)

    def doorsim(self, *argv: str) -> Said:
        """Run `doorsim ... --json`."""
        return self.run("doorsim", *argv, "--json")

    @contextmanager
    def beside(self, *argv: str) -> Iterator["Beside"]:
        """A command that runs while the test goes on; ended with the block."""
        out, err = (self.root / f"beside-{time.monotonic_ns()}.{name}" for name in ("out", "err"))
        with out.open("wb") as to_out, err.open("wb") as to_err:
            process = subprocess.Popen(
                self.command(*argv),
                env=self.environ(),
                cwd=self.code,
                stdin=subprocess.DEVNULL,
                stdout=to_out,
                stderr=to_err,
            )
        try:
            yield Beside(process, out, err)
        finally:
            process.kill()
            process.wait()

    def status(self) -> dict[str, Any]:
        """`doorctl status`. Fails the test if the door does not answer."""
        said = self.asks("status")
        assert said.code == 0, said
        return said.facts

    def well(self) -> dict[str, Any]:
        """`doorctl status` as soon as all processes are up and lock has reached every room it needs."""
        self.all_up()
        ends = time.monotonic() + PATIENCE_S
        while True:
            said = self.asks("status")
            if said.code == 0 and all(said.facts["rooms"].values()):
                return said.facts
            assert time.monotonic() < ends, f"the door is not well: {said} {self.told()}"

    def alarms(self) -> int:
        """How many alarms stand, as `doorctl status` tells."""
        return len(self.status()["alarms"])

    # ---- at the door

    def until(self, condition: Callable[[dict[str, Any]], bool], what: str, timeout_s: float = PATIENCE_S) -> None:
        """Return when `condition` holds of the simulated hardware's state. Fails the test otherwise."""
        assert self.door.wait(condition, timeout_s), f"{what} did not happen: {self.told()}"

    def does(self, act: Callable[[], object]) -> Heard:
        """One act at the door once it is secured and dark, and its answer."""
        self.until(lambda now: not now["granted"] and not now["indicator"], "the door secured and dark")
        before = self.door.state()
        act()
        return self.answer(before)

    def answer(self, before: dict[str, Any]) -> Heard:
        """The answer to whoever acted after the state `before`."""
        already = len(before["signals"])
        assert already < HISTORY, "this door's list of tones is full; use another door"
        answers: list[str] = []

        def answered(now: dict[str, Any]) -> bool:
            answers[:] = [each for each in now["signals"][already:] if each.split()[0] not in PASSING_TONES]
            return bool(answers)

        self.until(answered, "an answer at the door")
        # The strike is told before the person is: whoever heard OPENED finds the release counted.
        return Heard(answers[0], opened=self.door.state()["releases"] > before["releases"])

    def goes_in(self) -> None:
        """Somebody pulls the released door open and lets it fall shut: it locks behind them, and nobody waits."""
        if self.door.state()["granted"]:
            self.door.move_door(is_open=True)
            self.door.move_door(is_open=False)
        self.until(lambda now: not now["granted"], "the door secured")

    def types(self, keys: str) -> Heard:
        """Press keys on the keypad and hear the answer."""
        return self.does(lambda: self.door.keys(keys))

    def looks(self, picture: Path | None, scale: float = 1.0, fps: float = 30.0) -> Heard:
        """Press the face button with this picture in front of the camera, and hear the answer."""
        self.door.show(picture, fps, scale)
        return self.does(lambda: self.door.press("face"))

    def looks_until_ready(self, picture: Path) -> Heard:
        """As `looks`, trying again while the door asks for PIN or card: as long as a part of it is starting."""
        ends = time.monotonic() + PATIENCE_S
        while (heard := self.looks(picture)) == USE_PIN_OR_CARD and time.monotonic() < ends:
            self.door.wait(lambda _: False, 0.2)  # as a person would: not a thousand times a second
        return heard

    def window(self, picture: Path | None = None) -> None:
        """Press the face button and return when the camera is open and gives frames."""
        self.until(lambda now: not now["granted"] and not now["indicator"], "the door secured and dark")
        self.door.show(picture, fps=30.0)
        before = self.door.state()["frames_read"]
        self.press_until(lambda: self.door.state()["indicator"], "a window")
        self.until(lambda now: now["camera_open"] and now["frames_read"] > before, "a frame in the window")

    # ---- a resident's life

    def offer(self, slot: int, ends_unix: int = wire.NO_END, timetable: int = wire.NO_TIMETABLE) -> Invitation:
        """The manager offers `slot`, until `ends_unix` (seconds); the document is applied at the door."""
        content, invitation = self.manager.offer(self.door_id, slot, ends_unix=ends_unix, timetable=timetable)
        said = self.asks("apply", str(self._document(content)))
        assert said.code == 0, said
        return invitation

    def apply(self, content: bytes) -> Said:
        """`doorctl apply` with a document of these bytes."""
        return self.doorctl("apply", str(self._document(content)))

    def _document(self, content: bytes) -> Path:
        path = self.root / "document"
        path.write_bytes(content)
        return path

    def move_in(
        self, slot: int, pin: str, ends_unix: int = wire.NO_END, timetable: int = wire.NO_TIMETABLE
    ) -> Invitation:
        """Offer `slot` and let a resident set `pin` with the invitation."""
        invitation = self.offer(slot, ends_unix, timetable)
        assert self.types(f"00#{slot}#{invitation.digits}#{pin}#{pin}#") == NOTED
        return invitation

    def enrol(self, slot: int, pin: str, *pictures: Path, wishes: Sequence[str] = ()) -> Said:
        """Consent, prove the PIN, press, look, confirm with the PIN; what `doorctl enrol` (with `wishes`) answered.

        Once more if there were too few pictures, as people are told to: a window of a few seconds may end on a busy
        machine while eye, just started, still loads what it sees with.
        """
        for _ in range(TRIES):
            with self.enrolling(slot, pin, *pictures, wishes=wishes) as doorctl:
                self.until(lambda _: doorctl.ended or CONFIRM in doorctl.told, "the question for the PIN, or a refusal")
                if not doorctl.ended:
                    self.until(lambda now: not now["indicator"], "the door dark")
                    assert self.types(f"01#{slot}#{pin}#") == NOTED
                self.until(lambda _: doorctl.ended, "an answer of doorctl enrol")
                said = doorctl.said()
            if '"too_few_frames"' not in said.out:
                break
        return said

    def press_until(self, done: Callable[[], bool], what: str) -> None:
        """Press the face button, and again when the window is over, until `done`. Fails the test otherwise."""
        ends = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < ends, f"{what} did not come: {self.told()}"
            self.door.press("face")
            if self.door.wait(lambda now: now["indicator"] or done(), 0.3):
                self.door.wait(lambda now: not now["indicator"] or done(), PATIENCE_S)
                # What was waited for comes a moment after the window closed; another press would begin something new.
                self.door.wait(lambda _: done(), 1.0)

    @contextmanager
    def enrolling(self, slot: int, pin: str, *pictures: Path, wishes: Sequence[str] = ()) -> Iterator["Beside"]:
        """The same up to the moment when the camera looks for the enrolment, or the enrolment is refused."""
        folder = folder_of(self.root / f"resident-{len(list(self.root.glob('resident-*')))}", pictures)
        self.until(lambda now: not now["granted"] and not now["indicator"], "the door secured and dark")
        self.door.show(folder, fps=EACH_A_SAMPLE)
        assert self.types(f"01#{slot}#{pin}#") == NOTED
        with self.beside("doorctl", "enrol", "--consent", "--wait", "5", *wishes, "--json") as doorctl:
            # Not before doorctl says so: the press would be one of somebody who wants to get in.
            self.until(lambda _: doorctl.ended or PRESS_AND_LOOK in doorctl.told, "doorctl asking for the press")
            self.press_until(lambda: doorctl.ended or self.door.state()["indicator"], "a window for the enrolment")
            yield doorctl

    def act(self, command: str, slot: int, pin: str, *wishes: str) -> Said:
        """erase, pause, resume or renew: prove the PIN at the keypad, then run doorctl (with `wishes`)."""
        code = {"erase": "02", "pause": "03", "resume": "04", "renew": "06"}[command]
        assert self.types(f"{code}#{slot}#{pin}#") == NOTED
        return self.doorctl(command, "--wait", "5", *wishes)

    def twice(self, code: str, slot: int, pin: str) -> str:
        """Show the PIN for an act twice, with nothing but the keypad; the last answer heard: DONE or REFUSED."""
        already = len(self.door.state()["signals"])
        for _ in range(2):
            assert self.types(f"{code}#{slot}#{pin}#") == NOTED
        ends: list[str] = []

        def ended(now: dict[str, Any]) -> bool:
            ends[:] = [each for each in now["signals"][already:] if each in ("DONE", "REFUSED")]
            return bool(ends)

        self.until(ended, "how the act ended")
        return ends[-1]

    def claims(self, slot: int, picture: Path) -> Heard:
        """Type a flat number, press the face button with this picture in front of the camera, and hear the answer."""
        self.door.show(picture, fps=30.0)

        def act() -> None:
            self.door.keys(f"{slot}#")
            self.door.press("face")

        return self.does(act)

    # ---- what the door left behind

    def records(self, room: Room) -> list[Path]:
        """The sealed records of `room` on disk."""
        return sorted(self.paths.state(room).rglob("*.rec"))

    def kept(self, room: Room) -> set[str]:
        """Every file below the state folder of `room`, by its path there."""
        folder = self.paths.state(room)
        return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}

    def log(self, room: Room) -> str:
        """Everything one process wrote."""
        path = self.paths.board / f"{room}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def logs(self) -> str:
        """Everything all processes and the simulator wrote."""
        return "\n".join(
            path.read_text(encoding="utf-8", errors="replace") for path in sorted(self.paths.board.glob("*.log"))
        )

    def told(self) -> str:
        """State and logs, for a failing test's message."""
        with suppress(SimulatorRefused):
            state = self.door.state()
            return json.dumps(state | {"history": state["history"][-20:], "signals": state["signals"][-20:]}) + (
                "\n" + self.logs()
            )
        return self.logs()


@contextmanager
def door_up(
    *,
    tier: str = "face",
    wiring: str = "fail-secure",
    unlock_ms: int = 500,
    window_s: float = 10.0,
    enrol_frames: int = 3,
    broker: str = "",
    cadence_s: float = 900.0,
    door_id: str = "00112233445566ff",
    manager: Manager | None = None,
    code: Path = CHECKOUT,
    started: bool = True,
    vault: str = "",
    lights: bool = False,
    page: str = "",
) -> Iterator[Home]:
    """A door with short times, for the time of a `with` block. `started=False`: only its folder and door.toml.

    `vault`, `page`: lines of that table. `lights`: with the two lights of the light challenge.
    """
    with short_root() as root:
        home = Home(root, door_id, manager or Manager(), code)
        home.paths.config.parent.mkdir(parents=True)
        home.paths.config.write_text(
            f'[door]\nid = "{door_id}"\nmanager_key = "{home.manager.public}"\n'
            f'[camera]\nbackend = "replay"\nreplay = "{home.paths.board / "scene.json"}"\n'
            f"[eye]\nenrol_frames = {enrol_frames}\n"
            f'[lock]\nboard = "sim"\ntier = "{tier}"\nwiring = "{wiring}"\n'
            f"unlock_ms = {unlock_ms}\nwindow_s = {window_s}\n{LIGHT_PINS if lights else ''}"
            f'[report]\nbroker = "{broker}"\ncadence_s = {cadence_s}\n'
            f"[vault]\n{vault}\n[page]\n{page}\n"
        )
        try:
            if started:
                home.up()
            yield home
        finally:
            with suppress(SimulatorRefused):
                home.door.cut()


def folder_of(folder: Path, pictures: Sequence[Path]) -> Path:
    """`pictures` in a folder of their own, as the replay camera plays them."""
    folder.mkdir()
    for number, picture in enumerate(pictures):
        (folder / f"{number}{picture.suffix}").write_bytes(picture.read_bytes())
    return folder


def resident_pictures() -> tuple[Path, Path]:
    """Two portraits of one person, to enrol from."""
    return portrait("obama.jpg"), portrait("obama2.jpg")


def another_picture() -> Path:
    """A portrait of the same person that nobody enrols from."""
    return portrait("obama3.jpg", zoom=1.3)  # it shows more of the coat than the others: stand nearer


def stranger() -> Path:
    """Somebody else."""
    return portrait("biden.jpg")


def stranger_pictures() -> tuple[Path, Path]:
    """Two pictures of somebody else, to enrol from: one and the same picture again and again enrols nobody."""
    return stranger(), portrait("biden.jpg", zoom=1.2)


@dataclass(frozen=True)
class Moment:
    """The camera's meter at one moment (CLOCK_MONOTONIC)."""

    at_ns: int
    reading: Reading


class MeterWatch:
    """Reads the camera's meter about a thousand times a second while a `with` block runs, and before and after it."""

    def __init__(self, home: Home) -> None:
        self.moments: list[Moment] = []
        self._path = home.paths.board / METER
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._stop.wait(0.001):
            self._look()

    def _look(self) -> None:
        before_ns = time.monotonic_ns()
        reading = read_meter(self._path)
        if not self.moments or self.moments[-1].reading != reading:
            self.moments.append(Moment(before_ns, reading))

    @property
    def exposures(self) -> list[int]:
        """When each frame that was noticed was exposed."""
        return sorted({each.reading.last_frame_ns for each in self.moments} - {0})


def lit(state: dict[str, Any]) -> list[tuple[int, int]]:
    """From when to when the lamp was lit, by the simulated board's history; an end of 2**63 says that it still is."""
    changes = [(at_ns, level) for at_ns, line, level in state["history"] if line == "lamp"]
    spans = []
    for number, (at_ns, level) in enumerate(changes):
        if level:
            spans.append((at_ns, changes[number + 1][0] if number + 1 < len(changes) else 2**63))
    return spans


ALL_ROOMS = PROCESSES
