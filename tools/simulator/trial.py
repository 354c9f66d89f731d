"""`python -m tools.simulator.trial [SECONDS]`: a whole door, from its first start to a strike opened by PIN, and away.

Rules kept here:
- The code beside which it lies is what is tried: `doorctl upgrade` runs it out of a package that is not installed yet.
- Nothing of the real door is read or touched: a folder of its own, keys of its own, a simulated board.
- A strike that opens for a wrong PIN fails the trial as much as one that does not open for the right one.
- 0: everything was seen, in one sentence. 1: what was not, in one sentence. 2: SECONDS is no number of seconds. Nothing
  is left running either way.
"""

from __future__ import annotations

import math
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from nacl.signing import SigningKey

from device import document, wire
from device.desk import timeouts
from device.desk.client import DeskLine
from device.errors import Fault, Refusal
from provisioning.invitation import new_invitation
from tools.simulator.client import Door, SimulatorRefused
from tools.simulator.layout import Wishes

# For each step, the start of six processes beside the door that runs here as well: what the units allow a real room
# (TimeoutStartSec=), so that a slow board is no failed trial. Whoever knows a slower one says more.
PATIENCE_S = 120.0
SLOT, PIN, WRONG_PIN = 7, "482913", "739204"
_UNLOCK_MS = 1000
_PASSING = ("KEY", "WAIT", "LOOK")  # tones on the way; every other one is an answer
_DAY_S = 86400


class TrialFault(Fault, RuntimeError):
    """The door on trial did not do what a door does."""


class Trial:
    """One door below `root`, and the manager and the resident it never had."""

    def __init__(self, root: Path, patience_s: float = PATIENCE_S) -> None:
        self._door = Door(root)
        self._patience_s = patience_s
        self._door_id = secrets.token_hex(8)
        self._manager = SigningKey.generate()

    def run(self) -> str:
        """What was seen, in a sentence. Raises TrialFault, Refusal, Fault."""
        wishes = Wishes(door_id=self._door_id, manager_key=bytes(self._manager.verify_key).hex(), unlock_ms=_UNLOCK_MS)
        try:
            self._door.up(wishes, within_s=self._patience_s)
            self._move_in(self._document_key())
            if self._types(f"{SLOT}#{WRONG_PIN}#") == "OPENED" or self._door.state()["releases"]:
                raise TrialFault("the strike let go for a wrong PIN")
            if self._types(f"{SLOT}#{PIN}#") != "OPENED" or self._door.state()["releases"] != 1:
                raise TrialFault("the strike did not let go for the right PIN")
            if not self._door.wait(lambda now: not now["granted"], self._patience_s):
                raise TrialFault("the strike was not secured again")
        finally:
            with suppress(SimulatorRefused):
                self._door.cut()
        return "A simulated door took an offer, refused a wrong PIN, opened by the right one and locked again."

    def _move_in(self, document_key: bytes) -> None:
        """Offer the slot and take it with the invitation."""
        invitation, now_unix = new_invitation(), int(time.time())
        offer = wire.SlotOffer(
            SLOT, 1, now_unix + _DAY_S, wire.NO_END, wire.NO_TIMETABLE, invitation.salt, invitation.verifier
        )
        door_id = bytes.fromhex(self._door_id)
        signed = document.sign(
            document.SlotOffers((offer,)), door_id=door_id, version=1, issued_unix=now_unix, key=self._manager
        )
        sealed = document.seal(signed, door_id=door_id, document_key=document_key)
        answer = self._ask(wire.Document(sealed), timeouts.DOCUMENT_S, lambda got: isinstance(got, wire.Ack))
        if not isinstance(answer, wire.Ack) or answer.result is not wire.Result.DONE:
            raise TrialFault("the offer of a place was not taken")
        if self._types(f"00#{SLOT}#{invitation.digits}#{PIN}#{PIN}#") != "NOTED":
            raise TrialFault("the first PIN could not be set")

    def _document_key(self) -> bytes:
        answer = self._ask(wire.AskStatus(), timeouts.STATUS_S, lambda got: isinstance(got, wire.DoorStatus))
        if not isinstance(answer, wire.DoorStatus):
            raise TrialFault("lock did not say who it is")
        return answer.document_key

    def _ask(self, msg: wire.Message, seconds: float, wanted: Callable[[wire.Message], bool]) -> wire.Message:
        """The answer to `msg`; asked again while the rooms are still finding each other."""
        ends = time.monotonic() + self._patience_s
        while True:
            with DeskLine.open(self._door.paths) as line:
                answer = line.ask(msg, seconds + timeouts.GRACE_S)
            if wanted(answer) or time.monotonic() > ends:
                return answer
            time.sleep(0.1)

    def _types(self, keys: str) -> str:
        """Press keys; the first word of the answer."""
        already = len(self._door.state()["signals"])
        self._door.keys(keys)
        answers: list[str] = []

        def answered(now: dict[str, list[str]]) -> bool:
            words = [each.split()[0] for each in now["signals"][already:]]
            answers[:] = [word for word in words if word not in _PASSING]
            return bool(answers)

        if not self._door.wait(answered, self._patience_s):
            raise TrialFault("the keypad gave no answer")
        return answers[0]


def _seconds(word: str) -> float | None:
    """`word` as a time somebody may wait, in seconds; None if it is none."""
    try:
        seconds = float(word)
    except ValueError:
        return None
    return seconds if 0 < seconds < math.inf else None


def main(words: Sequence[str] = ()) -> int:
    """The exit code; what was seen goes to stdout, what was missed to stderr. `words`: the seconds of patience."""
    patience_s = _seconds(words[0]) if words else PATIENCE_S
    if patience_s is None:
        print("How long a step may take is a number of seconds, such as 300.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="dw-") as folder:
        try:
            print(Trial(Path(folder) / "door", patience_s).run())
        except (Fault, Refusal, OSError) as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
