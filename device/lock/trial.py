"""`python -m device.lock.trial`: the lines of a door that is being set up, tried by hand. For `doorctl setup`.

Rules kept here:
- The board's code is the door's own, with every line claimed. A line that lock owns is refused, as is any second claim.
- It releases the bolt for LONGEST_MS at most, once a word, and only by the word of somebody who stands before the
  terminal: words are read from standard input, and when that ends, or SIGTERM comes, the bolt is secured.
- A key is told as "5" or as "another": what else somebody types is nobody's business.
- 0: ended in order. 1: a line cannot be had or driven, or the configuration is wrong; one sentence says which.

In: door.toml, line by line, and a line of one dot; then a word a line. Out: an object of JSON a line.

    release MS | lamp 1 | lamp 0 | lights 2 1 | show SIGNAL | secure      {"done": "lamp 1"}
                                                                          {"refused": "SENTENCE"}
                                     {"ready": true} when the lines are had, {"saw": WORD} for what the contacts did:
                                     face, rex, door open, door closed, tamper on, tamper off, key 5, key another
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys
import tempfile
import time
from contextlib import suppress
from typing import TextIO

from device import config as door_config
from device.config.tables import Config
from device.errors import Fault, Refusal
from device.lock.assembly import lines_of
from device.lock.board import Board
from device.lock.state import DoorMoved, Event, ExitRequested, FaceButton, Key, Signal, TamperMoved
from device.paths import Paths, door_paths

LONGEST_MS = 2000  # enough to see and hear a bolt
_LONGEST_WORD = 64
_END_OF_TOML = "."


class Trial:
    """One board under trial, and where its answers go."""

    def __init__(self, board: Board, out: TextIO) -> None:
        self._board = board
        self._out = out

    def serve(self, words_fd: int) -> None:
        """Do what is asked on `words_fd` (not blocking) until it ends. Raises BoltFault."""
        self._tell(ready=True)
        rest = b""
        with selectors.DefaultSelector() as waiting:
            waiting.register(words_fd, selectors.EVENT_READ)
            waiting.register(self._board.fileno(), selectors.EVENT_READ)
            while True:
                ready = {key.fd for key, _ in waiting.select(self._patience())}
                for event in self._board.events(time.monotonic()):
                    self._saw(event)
                if words_fd not in ready:
                    continue
                came = os.read(words_fd, 4096)
                if not came:
                    return
                *lines, rest = (rest + came).split(b"\n")
                for line in lines:
                    self._do(line.decode("ascii", "replace"))
                rest = rest[:_LONGEST_WORD]

    def _patience(self) -> float | None:
        due = self._board.deadline()
        return None if due is None else max(0.0, due - time.monotonic())

    def _do(self, word: str) -> None:
        match word.split():
            case ["release", ms] if ms.isascii() and ms.isdigit() and 0 < int(ms[:_LONGEST_WORD]) <= LONGEST_MS:
                self._board.bolt.release(int(ms))
            case ["secure"]:
                self._board.bolt.secure()
            case ["lamp", ("0" | "1") as level]:
                self._board.lamp(on=level == "1")
            case ["lights", ("0" | "1" | "2" | "3") as left, ("0" | "1" | "2" | "3") as right]:
                self._board.lights(int(left), int(right))
            case ["show", name] if name in Signal.__members__:
                self._board.show(Signal[name], None)
            case _:
                self._tell(refused=f"{word[:_LONGEST_WORD]!r} is no word of a trial")
                return
        self._tell(done=word)

    def _saw(self, event: Event) -> None:
        match event:
            case FaceButton():
                self._tell(saw="face")
            case ExitRequested():
                self._tell(saw="rex")
            case DoorMoved():
                self._tell(saw="door open" if event.open else "door closed")
            case TamperMoved():
                self._tell(saw="tamper on" if event.on else "tamper off")
            case Key():
                self._tell(saw="key 5" if event.key == "5" else "key another")
            case _:
                pass  # cards are no lines

    def _tell(self, **facts: object) -> None:
        self._out.write(json.dumps(facts) + "\n")
        self._out.flush()


def run(words: TextIO, out: TextIO, paths: Paths) -> int:
    """Try the lines of the configuration that comes first; the exit code."""
    try:
        board = lines_of(_read(words), paths)
        try:
            os.set_blocking(words.fileno(), False)
            Trial(board, out).serve(words.fileno())
        finally:
            board.close()
    except (Refusal, Fault) as error:
        sentence = str(error)
    except ImportError as error:
        sentence = f"the board needs the library {error.name}, which is not installed"
    except Exception as error:  # noqa: BLE001 - a chip nobody knows: said, and never a traceback
        sentence = f"the board cannot be used: {error!r}"
    else:
        return 0
    with suppress(OSError):  # whoever asked is gone
        out.write(json.dumps({"refused": sentence}) + "\n")
        out.flush()
    return 1


def _read(words: TextIO) -> Config:
    """The configuration before the dot. Unbuffered below, so that no word after it is swallowed."""
    raw = bytearray()
    while not raw.endswith(b"\n" + _END_OF_TOML.encode() + b"\n"):
        byte = os.read(words.fileno(), 1)
        if not byte:
            break
        raw += byte
    text = raw.decode("utf-8", "replace").removesuffix(f"\n{_END_OF_TOML}\n")
    return door_config.parse(text, without_id=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # through `close`, which secures the bolt
    with tempfile.TemporaryDirectory(prefix="doorward-trial-") as folder:
        # lgpio lays a pipe into it, through which whoever may write there could press buttons.
        os.environ["LG_WD"] = folder
        ended = run(sys.stdin, sys.stdout, door_paths())
    sys.exit(ended)
