"""Talking to whoever sits at the terminal: lines out, lines in, nothing else.

Rules kept here:
- Plain lines: no colours, no cursor, nothing that a screen reader or a serial console would stumble over.
- `?` explains, `back` goes back. Ctrl-C once holds the question, so that nobody loses ten answers to a slip; Ctrl-C at
  the held question ends, and so does the end of the input. By then nothing was written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TextIO

from device.desk.setup.questions import BACK, EXPLAIN, YES_NO, NoAnswer, Question

HELD = "Stopped at this question. Enter goes on with it; Ctrl-C again ends, and nothing was written."


class Back(Exception):
    """The person wants to see the question before."""


class Terminal(Protocol):
    """Where the person is."""

    def say(self, text: str) -> None:
        """Show these lines."""

    def ask(self, prompt: str) -> str:
        """One line. Raises EOFError at the end of the input, KeyboardInterrupt at Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Console:
    """A terminal, or whatever stands for one."""

    keys: TextIO
    screen: TextIO

    def say(self, text: str) -> None:
        """See `Terminal`."""
        self.screen.write(f"{text}\n")
        self.screen.flush()

    def ask(self, prompt: str) -> str:
        """See `Terminal`."""
        self.screen.write(prompt)
        self.screen.flush()
        line = self.keys.readline()
        if not line:
            self.screen.write("\n")
            raise EOFError
        return line.rstrip("\r\n")


def sentence(error: BaseException) -> str:
    """What an error of ours says, as a sentence of its own."""
    text = str(error)
    return f"{text[:1].upper() if text[:1].isalpha() else text[:1]}{text[1:]}."


def put(question: Question, terminal: Terminal) -> str:
    """Ask until there is an answer; its value. Raises Back, EOFError or KeyboardInterrupt."""
    terminal.say(f"\n{question.shown()}")
    held = False
    while True:
        try:
            typed = terminal.ask(question.prompt())
        except KeyboardInterrupt:
            if held:
                raise
            held = True
            terminal.say(f"\n{HELD}")
            continue
        if held and not typed.strip():
            held = False
            terminal.say(question.shown())
            continue
        held = False
        if typed.strip() == EXPLAIN:
            terminal.say(question.why)
            continue
        if typed.strip().lower() == BACK:
            raise Back
        try:
            return question.read(typed)
        except NoAnswer as refusal:
            terminal.say(sentence(refusal))


def agrees(terminal: Terminal, key: str, words: str, why: str, *, default: str | None = "no") -> bool:
    """A yes or no."""
    return put(Question(key, words, why, default, YES_NO), terminal) == "yes"
