"""The questions in their order, with a way back. Pure: a value for each moment, no terminal and no file.

Rules kept here:
- An answer that is refused changes nothing; the same question stands.
- `back` takes the last answer back, and what followed from it.
- The draft at the end is one that a door starts with, on this machine: contradictions are refused where they arise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from device.config import broker
from device.desk.setup import alone, places, wiring
from device.desk.setup.draft import Draft
from device.desk.setup.machine import Machine
from device.desk.setup.questions import Question
from device.desk.setup.steps import STEPS
from device.desk.setup.terminal import Back, Terminal, put, sentence
from device.errors import ConfigRefused


@dataclass(frozen=True, slots=True)
class Interview:
    """Where the questions have come to. `passed`: the steps that were asked, each with the draft before its answer."""

    draft: Draft
    machine: Machine
    at: int = 0
    passed: tuple[tuple[int, Draft], ...] = ()

    @classmethod
    def begin(cls, draft: Draft, machine: Machine) -> Interview:
        """At the first question."""
        return _forward(cls(draft, machine))

    @property
    def question(self) -> Question | None:
        """What is asked now; None when everything was answered."""
        return STEPS[self.at].question(self.draft, self.machine) if self.at < len(STEPS) else None

    def answered(self, value: str) -> Interview:
        """The next moment, after `value` (`Question.read`). Raises ConfigRefused."""
        taken = STEPS[self.at].take(self.draft, self.machine, value)
        passed = (*self.passed, (self.at, self.draft))
        return _forward(replace(self, draft=taken, at=self.at + 1, passed=passed))

    def back(self) -> Interview:
        """The moment before the last answer; the first question stays the first."""
        if not self.passed:
            return self
        *rest, (at, draft) = self.passed
        return replace(self, at=at, draft=draft, passed=tuple(rest))


def _forward(moment: Interview) -> Interview:
    at = moment.at
    while at < len(STEPS) and STEPS[at].question(moment.draft, moment.machine) is None:
        at += 1
    return replace(moment, at=at)


def refuse_unfit(draft: Draft, machine: Machine, joined: str = "") -> None:
    """Raise ConfigRefused unless a door would start with `draft` on `machine`, and set-up may write it down."""
    draft.checked(joined)
    broker.parse(draft.config.report.broker)
    alone.refuse(draft, machine)
    wiring.refuse_lines(draft.config, machine.chips)
    places.refuse_missing(draft, machine)
    if not draft.config.sign.contact.strip():
        raise ConfigRefused("[sign] contact is missing: the sign names somebody whom people can ask")
    keypad = draft.config.lock.keypad
    if keypad and keypad not in {pad.path for pad in machine.keypads}:
        msg = f"[lock] keypad names {keypad}, which is not plugged in"
        raise ConfigRefused(msg)
    usb = draft.config.camera.device
    if usb and draft.config.camera.backend == "v4l2" and usb not in machine.cameras:
        msg = f"[camera] device names {usb}, which is not plugged in"
        raise ConfigRefused(msg)
    if draft.config.lock.osdp and draft.config.lock.osdp not in machine.serials:
        msg = f"[lock] osdp names {draft.config.lock.osdp}, which is not plugged in"
        raise ConfigRefused(msg)


def hold(interview: Interview, terminal: Terminal, joined: str = "") -> Interview:
    """Ask everything that is left; the moment after the last answer. Raises EOFError or KeyboardInterrupt."""
    while True:
        question = interview.question
        if question is None:
            try:
                refuse_unfit(interview.draft, interview.machine, joined)
            except ConfigRefused as refusal:
                terminal.say(sentence(refusal))
                interview = interview.back()
                continue
            return interview
        try:
            interview = interview.answered(put(question, terminal))
        except Back:
            if not interview.passed:
                terminal.say("This is the first question.")
            interview = interview.back()
        except ConfigRefused as refusal:
            terminal.say(sentence(refusal))
