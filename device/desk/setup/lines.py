"""The lines under trial: a port, and the process of lock's code behind it (`device.lock.trial`).

Rules kept here:
- Set-up says which line does what; the board's own code does it, in a process that secures the bolt when it loses us.
- What the contacts did is kept until somebody asks; a level is what was told last.
"""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections import deque
from contextlib import suppress
from typing import Protocol, Self

from device.config.tables import Config
from device.desk.setup.draft import render
from device.desk.setup.neighbours import PYTHON, NeighbourFault, read_answer

TRIAL = "device.lock.trial"
ANSWER_S = 15.0  # a driver loads in well under a second on an idle machine
_END_S = 5.0


class Lines(Protocol):
    """Every line of the door, ours until `close`. All raise NeighbourFault when a line cannot be had or driven."""

    def do(self, word: str) -> None:
        """Do what `word` says: "release 1000", "lamp 1", "show OPENED"."""

    def saw(self, wait_s: float) -> str | None:
        """The next thing that the contacts did, such as "face" or "door open"; None if nothing came in time."""

    def close(self) -> None:
        """Secure the bolt and give the lines back. Raises nothing."""


class TrialLines:
    """`Lines` over a process of lock's code."""

    def __init__(self, config: Config) -> None:
        try:
            self._process = subprocess.Popen(
                [*PYTHON, TRIAL],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,  # `select` sees what lies in the pipe, and nothing lies anywhere else
                start_new_session=True,  # Ctrl-C is for the person's question; the bolt is secured by `close`
            )
        except OSError as cause:
            msg = f"the board's code cannot be started: {cause.strerror}"
            raise NeighbourFault(msg) from cause
        self._rest = b""
        self._told: deque[str] = deque()
        try:
            self._write(f"{render(config)}\n.\n")
            self._answer("ready")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def do(self, word: str) -> None:
        """See `Lines`."""
        self._write(f"{word}\n")
        self._answer("done")

    def saw(self, wait_s: float) -> str | None:
        """See `Lines`."""
        ends = time.monotonic() + wait_s
        while not self._told:
            line = self._line(ends)
            if line is None:
                return None
            self._keep(line)
        return self._told.popleft()

    def close(self) -> None:
        """See `Lines`."""
        process = self._process
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _write(self, text: str) -> None:
        pipe = self._process.stdin
        if pipe is None:
            raise NeighbourFault("the board's code is not there")
        try:
            pipe.write(text.encode("utf-8"))
            pipe.flush()
        except (OSError, ValueError) as cause:
            raise NeighbourFault(self._last_words()) from cause

    def _last_words(self) -> str:
        """Why the process ended, in its own sentence."""
        try:
            while (line := self._line(time.monotonic() + _END_S)) is not None:
                read_answer(line, TRIAL)
        except NeighbourFault as fault:
            return str(fault)
        return "the board's code does not answer"

    def _answer(self, wanted: str) -> None:
        ends = time.monotonic() + ANSWER_S
        while (line := self._line(ends)) is not None:
            if wanted in self._keep(line):
                return
        msg = f"the board's code did not answer within {ANSWER_S:.0f} seconds"
        raise NeighbourFault(msg)

    def _keep(self, line: str) -> dict[str, object]:
        answer = dict(read_answer(line, TRIAL))
        if "saw" in answer:
            self._told.append(str(answer["saw"]))
        return answer

    def _line(self, ends_s: float) -> str | None:
        """The next line; None when the time (CLOCK_MONOTONIC seconds) is over. Raises NeighbourFault at the end."""
        pipe = self._process.stdout
        while b"\n" not in self._rest:
            if pipe is None or not select.select([pipe], [], [], max(0.0, ends_s - time.monotonic()))[0]:
                return None
            came = os.read(pipe.fileno(), 4096)
            if not came:
                raise NeighbourFault("the board's code ended")
            self._rest += came
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode("utf-8", "replace")
