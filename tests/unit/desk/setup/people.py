"""Set-up without a terminal: a scripted person, a board that records, a machine of one's choice."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from device.config.tables import Config
from device.desk.setup.machine import Chip, Keypad, Machine
from device.desk.setup.neighbours import EYE, LOCK, PATIENCE_S, VAULT, NeighbourFault

PI = Machine(
    model="Raspberry Pi 5 Model B",
    keypads=(
        Keypad("/dev/input/by-path/a-event-kbd", "Keypad", "0003:1a2c:0002:0110"),
        Keypad("/dev/input/by-path/b-event-kbd", "Other", "0003:1a2c:0002:0111"),
    ),
    serials=("/dev/serial/by-path/one",),
    chips=(Chip("pinctrl-rp1", ("GPIO0", "GPIO1")),),
    readers=("ACS ACR1252 00 00",),
    tpm=True,
    tpm_tools=True,
)
SIMULATED = Machine(simulated="/run/doorward/board")


class CtrlC:
    """Typed in place of an answer."""


@dataclass
class Person:
    """Types `answers`, and then Enter for ever; with `ends` the input ends after them."""

    answers: deque[str | CtrlC]
    ends: bool = False
    shown: list[str] = field(default_factory=list)
    asked: int = 0

    @classmethod
    def who_types(cls, *answers: str | CtrlC, ends: bool = False) -> Person:
        return cls(deque(answers), ends)

    def say(self, text: str) -> None:
        self.shown.append(text)

    def ask(self, prompt: str) -> str:
        self.asked += 1
        assert self.asked < 1000, "the conversation does not end"
        if not self.answers:
            if self.ends:
                raise EOFError
            return ""
        answer = self.answers.popleft()
        if isinstance(answer, CtrlC):
            raise KeyboardInterrupt
        return answer

    @property
    def heard(self) -> str:
        return "\n".join(self.shown)


@dataclass
class Board:
    """`Lines` that were had; `happens` is what the contacts do, None for nothing in time."""

    config: Config
    happens: deque[str | None] = field(default_factory=deque)
    done: list[str] = field(default_factory=list)
    closed: bool = False

    def do(self, word: str) -> None:
        assert not self.closed
        self.done.append(word)

    def saw(self, wait_s: float) -> str | None:
        assert not self.closed
        return self.happens.popleft() if self.happens else None

    def close(self) -> None:
        self.closed = True


@dataclass
class Neighbours:
    """Answers of the other rooms' code by module and word; a text is a refusal."""

    answers: dict[str, Mapping[str, object] | str] = field(
        default_factory=lambda: {
            f"{EYE} probe": {"there": True},
            f"{EYE} frame": {"width_px": 640, "height_px": 480, "brightness": 118, "eye_distances_px": [54, 20]},
            f"{VAULT} ": {"faces": 4, "alone": 0.0166, "at_most": 0.3088},
            f"{LOCK} keypads": {"keypad": PI.keypads[0].path},
        }
    )
    asked: list[str] = field(default_factory=list)

    def __call__(
        self, module: str, *words: str, toml: str = "", patience_s: float = PATIENCE_S
    ) -> Mapping[str, object]:
        key = f"{module} {words[0] if words else ''}"
        self.asked.append(key)
        answer = self.answers.get(key, "nobody answers")
        if isinstance(answer, str):
            raise NeighbourFault(answer)
        return answer
