"""The house that is soaked: one simulated door of six real processes, its broker, its manager, a drawer of cards.

Rules kept here:
- The rooms are the real ones, with the cost of a PIN that every door has (Argon2id, 64 MiB): nothing is weakened.
  What is shorter than at most doors is our own waiting, by settings that door.toml permits: `unlock_ms`, `window_s`,
  three pictures for an enrolment, a report every `CADENCE_S`. There are no lights.
- The manager's documents are signed and sealed as `doorward` does it, by the same code of `device.document`.
- A card's file lies in memory where there is a folder for that. Everything is gone afterwards, whatever ended the soak:
  kill -9 included (`tools.benchmark.guard`).
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from nacl.signing import SigningKey

from device import document, wire
from device.desk import timeouts
from device.desk.client import DeskLine
from device.document import SlotOffers
from device.edges import Room
from device.errors import Fault
from device.paths import Paths
from provisioning.invitation import Invitation, new_invitation
from tools.benchmark.guard import guarded
from tools.benchmark.house import card_drawer
from tools.simulator.client import Door
from tools.soak.broker import FleetBroker, Listener

CADENCE_S: Final = 2.0
UNLOCK_MS: Final = 500
WINDOW_S: Final = 4.0
ENROL_FRAMES: Final = 3
_COMMANDS: Final = Path(sys.executable).parent
_CODE: Final = Path(__file__).parents[2]


class NotSetUp(Fault, RuntimeError):
    """The house could not be made."""


@dataclass(slots=True)
class Manager:
    """Whoever signs for the door `door_id` (hexadecimal), and seals to `document_key`."""

    door_id: str
    key: SigningKey = field(default_factory=SigningKey.generate)
    document_key: bytes = b""
    version: int = 0
    newest: bytes = field(default=b"", repr=False)  # the document handed out last

    def offer(self, slot: int) -> tuple[bytes, Invitation]:
        """A document that offers `slot`, and the invitation to it."""
        self.version += 1
        invitation = new_invitation()
        ends_unix = int(time.time()) + 14 * 86400
        made = wire.SlotOffer(
            slot, self.version, ends_unix, wire.NO_END, wire.NO_TIMETABLE, invitation.salt, invitation.verifier
        )
        return self._sealed(made), invitation

    def withdrawal(self, slot: int) -> bytes:
        """A document that ends whatever `slot` holds."""
        self.version += 1
        return self._sealed(wire.SlotOffer.withdrawal(slot, self.version))

    def _sealed(self, offer: wire.SlotOffer) -> bytes:
        door = bytes.fromhex(self.door_id)
        signed = document.sign(
            SlotOffers((offer,)), door_id=door, version=self.version, issued_unix=int(time.time()), key=self.key
        )
        self.newest = document.seal(signed, door_id=door, document_key=self.document_key)
        return self.newest


@dataclass(frozen=True, slots=True)
class House:
    """Everything that stands."""

    door: Door
    broker: FleetBroker
    listener: Listener
    manager: Manager
    drawer: Path

    def apply(self, content: bytes) -> wire.Result:
        """As `doorctl apply`: what became of the document. Raises DeskFault."""
        with DeskLine.open(self.door.paths) as line:
            answer = line.ask(wire.Document(content), timeouts.DOCUMENT_S + timeouts.GRACE_S)
        return answer.result if isinstance(answer, wire.Ack | wire.Ended) else wire.Result.FAULT

    def named(self, record: bytes) -> bool | None:
        """Whether the ring in force still names this record, as a receipt's holder may ask; None if nobody answers."""
        with DeskLine.open(self.door.paths) as line:
            answer = line.ask(wire.QueryRecord(record), timeouts.RECORD_S + timeouts.GRACE_S)
        return answer.named if isinstance(answer, wire.RecordAnswer) else None

    def cut_and_up(self) -> None:
        """A power cut; and the door is switched on again. Raises NotSetUp."""
        self.door.cut()
        _command(self.door.root, "doorsim", "up")

    def logs(self) -> dict[str, Path]:
        """What everybody writes into, by who it is."""
        board = self.door.paths.board
        names = [*(str(room) for room in Room if (board / f"{room}.log").exists()), "daemon"]
        return {**{name: board / f"{name}.log" for name in names}, "broker": self.broker.log}


@contextmanager
def house() -> Iterator[House]:
    """A running door without residents. Raises NotSetUp, BrokerFault, or the simulator's own refusals."""
    with ExitStack() as stack:
        folder, drawer = Path(tempfile.mkdtemp(prefix="dw-")), card_drawer()
        folder.chmod(0o755)  # Mosquitto becomes another user
        door = stack.enter_context(guarded(folder, drawer))
        manager = Manager(secrets.token_hex(8))
        broker = FleetBroker(folder / "site")
        broker.root.mkdir()
        broker.root.chmod(0o755)
        _settle(door.paths, manager, broker)
        stack.callback(broker.stop)
        broker.start()
        listener = broker.hears()
        stack.callback(listener.close)
        _command(door.root, "doorsim", "up")
        manager.document_key = _document_key(door.root)
        yield House(door, broker, listener, manager, drawer)


def _settle(paths: Paths, manager: Manager, broker: FleetBroker) -> None:
    broker.configure()
    paths.config.parent.mkdir(parents=True)
    paths.config.write_text(
        f'[door]\nid = "{manager.door_id}"\nmanager_key = "{bytes(manager.key.verify_key).hex()}"\n'
        f'[camera]\nbackend = "replay"\nreplay = "{paths.board / "scene.json"}"\n'
        f"[eye]\nenrol_frames = {ENROL_FRAMES}\n"
        f'[lock]\nboard = "sim"\nunlock_ms = {UNLOCK_MS}\nwindow_s = {WINDOW_S}\n'
        f'[report]\nbroker = "{broker.url}"\ncadence_s = {CADENCE_S}\n',
        encoding="utf-8",
    )
    paths.root.chmod(0o700)
    broker.admit(manager.door_id, paths.state(Room.REPORT) / "tls")


def _document_key(root: Path) -> bytes:
    """What is sealed to, as `doorctl export-identity` says it."""
    return bytes.fromhex(_command(root, "doorctl", "export-identity")["document_key"])


def _command(root: Path, *words: str) -> dict[str, Any]:
    """What a command of the door answered. Raises NotSetUp."""
    done = subprocess.run(
        [_COMMANDS / words[0], *words[1:], "--json"],
        cwd=_CODE,
        env={
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "DOORWARD_ROOT": str(root),
            # So a command is that of this code, and never of another copy that happens to be installed.
            "PYTHONPATH": os.environ.get("PYTHONPATH", str(_CODE)),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        msg = f"{' '.join(words)} answered: {done.stdout.strip() or done.stderr.strip()}"
        raise NotSetUp(msg)
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer
