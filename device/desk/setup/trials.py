"""Trying each line with the person who wired it: "press the button now", and what was seen.

Rules kept here:
- The bolt moves only after a warning and a typed yes, for RELEASE_MS, and the person says what they saw.
- A contact is judged by what it did, not by what should be there. Two buttons on each other's lines, or a bolt at the
  other level, can be put right on the spot. A contact that closes the wrong way round cannot: a cut cable has to read
  as open, and no setting turns that round.
- Every trial may be skipped; what was not tried, or did not work, is named at the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from device.config.tables import Config
from device.desk.setup import wiring
from device.desk.setup.draft import Draft
from device.desk.setup.lines import Lines
from device.desk.setup.neighbours import NeighbourFault
from device.desk.setup.questions import Choice, Question
from device.desk.setup.terminal import Terminal, agrees, put, sentence

RELEASE_MS = 1000
PRESS_S = 20.0
_FIRST_LEVELS_S = 0.3  # contacts settle within 30 ms and are told at once

Open = Callable[[Config], Lines]


@dataclass(slots=True)
class Trials:
    """The lines of `draft`, tried one after the other. `untried` and `failed` name them for the person."""

    draft: Draft
    terminal: Terminal
    open: Open
    may_change: bool = True
    untried: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    _lines: Lines | None = None
    _levels: dict[str, str] = field(default_factory=dict)

    def run(self) -> Draft:
        """Try every line; the draft, perhaps with lines that were put right. Raises NeighbourFault, EOFError, Back."""
        try:
            self._claim()
            self._bolt()
            self._lamp()
            self._tones()
            self._lights()
            self._button("face", "face_button_pin", "rex_pin", "face button")
            if self.draft.config.lock.rex_wired:
                self._button("rex", "rex_pin", "face_button_pin", "button for request to exit")
            self._contact("door", ("door closed", "door open"), "the door")
            self._contact("tamper", ("tamper off", "tamper on"), "the housing")
        finally:
            self.close()
        return self.draft

    def close(self) -> None:
        """Give the lines back, locked."""
        if self._lines is not None:
            self._lines.close()
            self._lines = None

    def lit(self, work: Callable[[], None]) -> None:
        """Do `work` while the lamp is lit: the camera looks at nobody in the dark. Raises NeighbourFault."""
        try:
            self._claim()
            self._do("lamp 1")
            work()
            self._do("lamp 0")
        finally:
            self.close()

    def _claim(self) -> None:
        self.close()
        self._lines = self.open(self.draft.config)
        self._levels = {}
        self._settle()

    def _settle(self) -> None:
        """Take in what the contacts said so far."""
        while (word := self._saw(_FIRST_LEVELS_S)) is not None:
            self._note(word)

    def _note(self, word: str) -> None:
        what, _, level = word.partition(" ")
        if level:
            self._levels[what] = word

    def _do(self, word: str) -> None:
        if self._lines is not None:
            self._lines.do(word)

    def _saw(self, wait_s: float) -> str | None:
        return None if self._lines is None else self._lines.saw(wait_s)

    def _skips(self, name: str, words: str, why: str) -> bool:
        choices = (Choice("go", "try it now"), Choice("skip", "skip it"))
        if put(Question(f"trial.{name}", words, why, "go", choices), self.terminal) == "skip":
            self.untried.append(name)
            return True
        return False

    # ---- what the door drives

    def _bolt(self) -> None:
        words = (
            "The bolt. THE DOOR WILL OPEN NOW, for one second. Nobody should lean on it, and nobody should stand "
            "behind it.\nMay it open?"
        )
        why = "The door's own code releases the bolt once, as after a right PIN, and locks it again."
        while True:
            if not agrees(self.terminal, "trial.bolt", words, why):
                self.untried.append("bolt")
                return
            self._do(f"release {RELEASE_MS}")
            seen = put(
                Question(
                    "trial.bolt.seen",
                    "What did the bolt do?",
                    "It should be locked before and after, and let go in between, with a click each time.",
                    None,
                    (
                        Choice("well", "it let go for a second, and is locked again"),
                        Choice("nothing", "it did not move"),
                        Choice("turned", "the other way round: it is open, and was locked for a second"),
                        Choice("again", "I did not see it; once more"),
                    ),
                ),
                self.terminal,
            )
            if seen == "well":
                return
            if seen == "again" or (seen == "turned" and self._turned()):
                continue
            self.failed.append("bolt")
            return

    def _turned(self) -> bool:
        """Whether the level was turned round, so that it is worth another try."""
        turned = self.draft.put("lock", bolt_active_high=not self.draft.config.lock.bolt_active_high)
        if not self.may_change:
            self.terminal.say("The level is the other one. `doorctl setup` changes it.")
            return False
        rests = wiring.opens_at_rest(turned.config.lock)
        warning = " Then a line that nobody drives is an OPEN door, unless the relay pulls it up." if rests else ""
        why = "The relay takes current at the other level than was said. The other cure is the relay's other contact."
        if not agrees(self.terminal, "trial.bolt.turn", f"Turn the level of its line round?{warning}", why):
            return False
        self.draft = turned
        self._claim()
        return True

    def _lamp(self) -> None:
        if self._skips("lamp", "The lamp.", "It is lit exactly while the camera may look."):
            return
        self._do("lamp 1")
        lit = agrees(self.terminal, "trial.lamp", "Is it lit?", "It should be lit until you answer.", default=None)
        self._do("lamp 0")
        dark = lit and agrees(self.terminal, "trial.dark", "Is it dark now?", "It should be.", default=None)
        if not dark:
            self.failed.append("lamp")

    def _tones(self) -> None:
        lock = self.draft.config.lock
        wired = [
            name
            for name, there in (("buzzer", lock.buzzer_pin), ("status light", lock.status_led_pin))
            if there or lock.board == "sim"
        ]
        if not wired or self._skips(" and ".join(wired), "The tones.", "Every answer is heard and seen alike."):
            return
        for name in wired:
            self._do("show REFUSED")
            self._pass(0.5)
            words = f"Three short beats: did the {name} give them?"
            if not agrees(self.terminal, f"trial.{name}", words, "It is the answer to a wrong PIN.", default=None):
                self.failed.append(name)

    def _lights(self) -> None:
        if not self.draft.config.lock.lights:
            return
        why = "They tell a face from a picture of one, if the door knows which is which. Left is left for who looks in."
        if self._skips("white lights", "The two white lights beside the camera.", why):
            return
        self._do("lights 1 1")
        words = "Do both burn, weakly and alike?"
        well = agrees(self.terminal, "trial.lights", words, "It is their rest.", default=None)
        for side, levels in (("left", "3 1"), ("right", "1 3")):
            self._do(f"lights {levels}")
            well &= self._brighter() == side
        self._do("lights 0 0")
        well = (
            agrees(self.terminal, "trial.lights.dark", "Are both dark now?", "They should be.", default=None) and well
        )
        if not well:
            self.terminal.say("Their four lines are [lock] ..._light_..._pin; docs/wiring.md has the circuit.")
            self.failed.append("white lights")

    def _brighter(self) -> str:
        choices = (Choice("left", "the left one"), Choice("right", "the right one"), Choice("none", "neither"))
        why = "Left for whoever looks into the camera."
        return put(
            Question("trial.lights.brighter", "Which one is the brighter now?", why, None, choices), self.terminal
        )

    # ---- what the door hears

    def _button(self, word: str, key: str, other_key: str, called: str) -> None:
        other = {"face": "rex", "rex": "face"}[word]
        words = f"The {called}. After Enter you have {PRESS_S:.0f} seconds to press it once."
        while not self._skips(called, words, "It says what the door saw on its lines."):
            self._settle()
            self.terminal.say("Press it now.")
            seen = self._wait((word, other))
            if seen == word:
                self.terminal.say(f"Seen: the {called}.")
                return
            if seen is None:
                self.terminal.say(f"Nothing was seen on {getattr(self.draft.config.lock, key) or 'its line'}.")
            else:
                self.terminal.say("Seen: the other button's line moved.")
                self._swapped(key, other_key)

    def _swapped(self, key: str, other_key: str) -> None:
        lock = self.draft.config.lock
        if lock.board == "sim" or not self.may_change:
            return
        why = "Then each button is on the line that its cable is on. The other cure is to change the two cables."
        if agrees(self.terminal, "trial.swap", "Do the two buttons change their lines?", why, default="yes"):
            self.draft = self.draft.put("lock", **{key: getattr(lock, other_key), other_key: getattr(lock, key)})
            self._claim()

    def _contact(self, what: str, words: tuple[str, str], called: str) -> None:
        shut, opened = words
        name = f"contact of {called}"
        why = "It says how the contact reads, before and after."
        while not self._skips(name, f"The {name}. Please leave it closed for now.", why):
            self._settle()
            if self._levels.get(what, shut) == opened:
                self.terminal.say(
                    f"It reads open. If {called} is closed, the contact is the other way round or its cable is cut: it "
                    "must be closed while the door is, so that a cut cable reads as open. No setting turns it round."
                )
                continue
            self.terminal.say(f"It reads closed. Now open {called}, within {PRESS_S:.0f} seconds.")
            if self._wait((opened,)) is None:
                self.terminal.say("Nothing was seen: it still reads closed.")
                continue
            self.terminal.say(f"Seen: open. Now close {called} again.")
            if self._wait((shut,)) is not None:
                self.terminal.say("Seen: closed.")
                return
            self.terminal.say("Nothing was seen: it still reads open.")

    def _wait(self, words: tuple[str, ...]) -> str | None:
        """The first of `words` that is seen; None if none is in time, or at Ctrl-C."""
        ends = time.monotonic() + PRESS_S
        try:
            while (left := ends - time.monotonic()) > 0:
                seen = self._saw(left)
                if seen is None:
                    return None
                self._note(seen)
                if seen in words:
                    return seen
        except KeyboardInterrupt:
            self.terminal.say("")
        return None

    def _pass(self, seconds: float) -> None:
        """Let the beats be played, while what the contacts do is taken in."""
        seen = self._saw(seconds)
        if seen is not None:
            self._note(seen)


def told(trials: Trials) -> str:
    """What became of the trials, as sentences."""
    lines = ["Every line that was tried works." if not trials.failed else f"Does not work: {', '.join(trials.failed)}."]
    if trials.untried:
        lines.append(f"Not tried: {', '.join(trials.untried)}.")
    return " ".join(lines)


def refused(fault: NeighbourFault, terminal: Terminal) -> bool:
    """Say why the lines could not be tried; whether to try again."""
    terminal.say(sentence(fault))
    why = "A line that is busy belongs to another program; a chip that is not there is another board's."
    choices = (Choice("again", "try again"), Choice("skip", "go on without trying the lines"))
    return (
        put(Question("trial.again", "What now? back changes the answers.", why, "again", choices), terminal) == "again"
    )
