"""The host's end of the agent in the guest: run a script, get what it said.

Rules kept here:
- A script that fails raises, with its words, unless the caller asked to see its code.
- Every wait has a limit and says what was waited for. Nothing here sleeps to make something true.
- `until` asks the guest again and again: a condition is a script whose exit code 0 says yes. The pause in between is by
  the guest's clock: an emulated processor that is asked all the time has little left for what is waited for.
"""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.vm.qmp import connected
from tools.vm.say import VmFault

LIMIT_S = 300.0
_ASK_AGAIN_S = 0.7


@dataclass(frozen=True, slots=True)
class Answer:
    """How a script ended."""

    code: int
    out: str
    err: str
    took_s: float


class Agent:
    """The agent of one machine."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._news = threading.Condition()
        self._answers: dict[int, Answer] = {}
        self._asked = 0
        self._boots = 0
        self._uptime_s = 0.0
        self._over = False
        self._socket = connected(path)
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def boots(self) -> int:
        """How often the agent started while this object listened."""
        return self._boots

    def wait_ready(self, limit_s: float, boots: int = 0) -> float:
        """Seconds since the guest's start when its agent came up, for the first start after `boots` ones."""
        with self._news:
            if not self._news.wait_for(lambda: self._over or self._boots > boots, limit_s) or self._boots <= boots:
                msg = f"the guest's agent did not come up within {limit_s:.0f} s"
                raise VmFault(msg)
            return self._uptime_s

    def run(self, script: str, *, data: bytes = b"", limit_s: float = LIMIT_S) -> Answer:
        """Run `script` in the guest by bash as root, `data` on its standard input; how it ended. Raises VmFault."""
        with self._news:
            self._asked += 1
            number = self._asked
            order = {"id": number, "script": script, "input": base64.b64encode(data).decode(), "limit_s": limit_s}
            boots = self._boots
            self._socket.sendall(json.dumps(order).encode() + b"\n")
            self._news.wait_for(lambda: self._over or number in self._answers or self._boots != boots, 2 * limit_s)
            answer = self._answers.pop(number, None)
        if answer is None:
            msg = f"the guest did not answer within {2 * limit_s:.0f} s: {script[:80]}"
            raise VmFault(msg)
        return answer

    def ask(self, script: str, *, data: bytes = b"", limit_s: float = LIMIT_S) -> str:
        """What `script` printed. Raises VmFault if it failed."""
        answer = self.run(script, data=data, limit_s=limit_s)
        if answer.code:
            msg = f"a script in the guest ended with {answer.code}: {script[:200]}: {answer.err[-2000:]}"
            raise VmFault(msg)
        return answer.out

    def until(self, condition: str, what: str, limit_s: float = LIMIT_S) -> str:
        """What `condition` printed when it first succeeded. Raises VmFault, naming `what`, after `limit_s`."""
        ends = time.monotonic() + limit_s
        asked = f"( {condition}\n)\ncode=$?\n[ $code = 0 ] || sleep {_ASK_AGAIN_S}\nexit $code"
        while (answer := self.run(asked)).code:
            if time.monotonic() > ends:
                msg = f"{what} did not come within {limit_s:.0f} s: {answer.out[-1000:]} {answer.err[-1000:]}"
                raise VmFault(msg)
        return answer.out

    def put(self, path: str, content: bytes, mode: str = "0644") -> None:
        """Write a file in the guest, its folder as well."""
        self.ask(f"install -D -m {mode} /dev/stdin '{path}'", data=content)

    def close(self) -> None:
        """Hang up."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _read(self) -> None:
        waiting = b""
        try:
            while part := self._socket.recv(1 << 20):
                *lines, waiting = (waiting + part).split(b"\n")
                with self._news:
                    for line in lines:
                        self._take(line)
                    self._news.notify_all()
        except OSError:
            pass
        finally:
            with self._news:
                self._over = True
                self._news.notify_all()

    def _take(self, line: bytes) -> None:
        begin = line.find(b"{")  # a machine that was reset in the middle of a line leaves half of it
        try:
            said: dict[str, Any] = json.loads(line[begin:])
        except ValueError:
            return
        if "ready" in said:
            self._boots, self._uptime_s = self._boots + 1, said["ready"]
            self._answers.clear()
        else:
            out, err = (base64.b64decode(said[name]).decode(errors="replace") for name in ("out", "err"))
            self._answers[said["id"]] = Answer(said["code"], out, err, said["took_s"])
