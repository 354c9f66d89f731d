"""QEMU's monitor: keys, power, and what the machine did.

Rules kept here:
- Each command's answer is waited for; events that come in between are kept, in order.
- A refusal of QEMU is raised with its own words.

Source: QEMU's "QMP protocol specification".
"""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any

from tools.vm.say import VmFault

_ANSWERS_WITHIN_S = 60.0


def connected(path: Path) -> socket.socket:
    """A connection to the local socket at `path`. Raises OSError if nobody listens there."""
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.connect(str(path))
    except OSError:
        sock.close()
        raise
    return sock


class Monitor:
    """One connection to QEMU's monitor; a thread reads it."""

    def __init__(self, path: Path) -> None:
        self._socket = connected(path)
        self._file = self._socket.makefile("rwb", buffering=0)
        self._news = threading.Condition()
        self._answers: dict[int, dict[str, Any]] = {}
        self._asked = 0
        self._over = False
        self.events: list[dict[str, Any]] = []
        threading.Thread(target=self._read, daemon=True).start()
        self.ask("qmp_capabilities")

    def ask(self, command: str, **arguments: Any) -> Any:
        """What QEMU returns to `command`. Raises VmFault if it refuses or has ended."""
        with self._news:
            self._asked += 1
            number = self._asked
            order = {"execute": command, "arguments": arguments, "id": number}
            try:
                self._file.write(json.dumps(order).encode() + b"\n")
            except OSError as cause:
                msg = f"QEMU has ended before {command}"
                raise VmFault(msg) from cause
            if not self._news.wait_for(lambda: self._over or number in self._answers, _ANSWERS_WITHIN_S):
                msg = f"QEMU did not answer {command} within {_ANSWERS_WITHIN_S:.0f} s"
                raise VmFault(msg)
            answer = self._answers.pop(number, {"error": {"desc": "it has ended"}})
        if "error" in answer:
            msg = f"QEMU refused {command}: {answer['error']['desc']}"
            raise VmFault(msg)
        return answer.get("return")

    def key(self, name: str) -> None:
        """Press and let go one key, by QEMU's name for it, such as "kp_1"."""
        for down in (True, False):  # two commands, in order: `send-key` lets go by a timer, maybe after the next key
            key = {"key": {"type": "qcode", "data": name}, "down": down}
            self.ask("input-send-event", events=[{"type": "key", "data": key}])

    def happened(self, event: str, since: int = 0) -> bool:
        """Whether QEMU told of `event` after the first `since` ones."""
        with self._news:
            return any(each["event"] == event for each in self.events[since:])

    def wait(self, event: str, limit_s: float, since: int = 0) -> dict[str, Any]:
        """The first `event` after the first `since` ones. Raises VmFault after `limit_s`."""
        with self._news:
            seen = self._news.wait_for(lambda: self._over or self._find(event, since) is not None, limit_s)
            found = self._find(event, since) if seen else None
        if found is None:
            msg = f"QEMU did not tell of {event} within {limit_s:.0f} s"
            raise VmFault(msg)
        return found

    def close(self) -> None:
        """Hang up; QEMU goes on."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _find(self, event: str, since: int) -> dict[str, Any] | None:
        return next((each for each in self.events[since:] if each["event"] == event), None)

    def _read(self) -> None:
        try:
            while line := self._file.readline():
                said = json.loads(line)
                with self._news:
                    if "event" in said:
                        self.events.append(said)
                    elif "id" in said:
                        self._answers[said["id"]] = said
                    self._news.notify_all()
        except (OSError, ValueError):
            pass
        finally:
            with self._news:
                self._over = True
                self._news.notify_all()
            self._file.close()
