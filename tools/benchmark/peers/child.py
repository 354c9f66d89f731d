"""One tool in a process of its own, asked line by line, and measured from outside.

Rules kept here:
- What it costs is what the kernel says of its process and all its threads; a tool is not asked how fast it was.
- It ends with this program, whatever becomes of it, and says within its time or is given up by name.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tools.benchmark.figures import NotMeasured
from tools.benchmark.house import die_with_parent
from tools.benchmark.processes import used

READY_S, ANSWER_S = 180.0, 600.0


@dataclass(frozen=True, slots=True)
class Tool:
    """What is started: `command` in `folder`, with `environment` over this program's own."""

    name: str
    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    decides_by: str


@dataclass(slots=True)
class Child:
    """A started tool. Use it as a context: it is ended on the way out."""

    tool: Tool
    log: Path
    started_s: float = 0.0
    started_processor_s: float = 0.0
    _process: subprocess.Popen[bytes] = field(init=False)
    _rest: bytes = b""

    def __enter__(self) -> Self:
        before = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.tool.command,
                cwd=self.tool.folder,
                env={**os.environ, **self.tool.environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                preexec_fn=die_with_parent,  # noqa: PLW1509 # one thread; nothing of ours runs in the child but this
            )
        try:
            self._read(READY_S)
        except BaseException:
            self.__exit__()
            raise
        self.started_s = time.monotonic() - before
        self.started_processor_s = self.processor_s()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def see(self, pictures: Sequence[str]) -> list[bool]:
        """Which of `pictures` show a face to it. Raises NotMeasured."""
        return list(self._ask({"see": list(pictures)})["seen"])

    def ask(self, questions: Sequence[Mapping[str, Any]]) -> list[tuple[int | None, float]]:
        """The slot that each question opens for, or None, and how alike it was at most. Raises NotMeasured."""
        told = self._ask({"ask": list(questions)})
        return list(zip(told["slots"], told["likeness"], strict=True))

    def processor_s(self) -> float:
        """So far, all threads, in steps of 10 ms."""
        return used(self._process.pid).processor_s

    def peak_mb(self) -> float:
        """The most that its resident set has been, in MB of 1,024 kB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def _ask(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None  # noqa: S101 # it was asked for above
        try:
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._gone() from None
        return self._read(ANSWER_S)

    def _read(self, within_s: float) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 # likewise
        descriptor, until = self._process.stdout.fileno(), time.monotonic() + within_s
        while b"\n" not in self._rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise NotMeasured(f"{self.tool.name} has not answered for {within_s:.0f} s; what it said: {self.log}")
            piece = os.read(descriptor, 65536)
            if not piece:
                raise self._gone()
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _gone(self) -> NotMeasured:
        return NotMeasured(f"{self.tool.name} has ended; its last words are in {self.log}")
