"""A board for trials: it keeps what was asked of it, and its contacts did what a test says."""

from __future__ import annotations

import os

from device.lock.state import Event, Signal
from device.wire import Hint


class Recorded:
    """`done` is what was asked for, in order; `news` what its contacts did."""

    def __init__(self, news: list[Event] | None = None) -> None:
        self.done: list[str] = []
        self.news = news or []
        self.bolt = self
        self._read, self._write = os.pipe()

    def release(self, for_ms: int) -> None:
        self.done.append(f"release {for_ms}")

    def secure(self) -> None:
        self.done.append("secure")

    def fileno(self) -> int:
        return self._read

    def events(self, now_s: float) -> list[Event]:
        news, self.news = self.news, []
        return news

    def deadline(self) -> float | None:
        return None

    def lamp(self, *, on: bool) -> None:
        self.done.append(f"lamp {int(on)}")

    def lights(self, left: int, right: int) -> None:
        self.done.append(f"lights {left} {right}")

    def show(self, signal: Signal, hint: Hint | None) -> None:
        self.done.append(f"show {signal.name}")

    def card(self, command: bytes | None) -> None:
        """None here."""

    def close(self) -> None:
        self.done.append("close")
        os.close(self._read)
        os.close(self._write)
