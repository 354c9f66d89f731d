"""lock: how long after a card's last answer the strike lets go, idle and with eye at full rate; and a whole opening.

Rules kept here:
- Six real processes and a simulated card (NTAG 424 DNA), which has no radio: what a real one takes for its answers is
  in no figure here, and is not the door's.
- Before each sample the same opening is done by one process alone, in the same condition (`bare_card`): cryptography,
  the durable write of the counters' page, and the card.
- The limit is read in two ways, and both must hold: from the card's last answer to the coil, with eye at full rate,
  against the cryptography of one opening in the same condition, which is the letter of it; and against what no door can
  leave out, measured idle: that cryptography, and the one write that makes keeper's counter durable before the card
  counts. The strictest way, against the idle cryptography alone, is told without a verdict: it is half a millisecond of
  AES against two messages there and two back, between three processes.
- Of a whole opening it is told what the walls between the processes cost.
- lock, keeper and the bare process come first where the system permits it, and the section says whether it does. The
  simulated board does so, too: what it stands for, a chip, waits for no processor.
- A sample before which eye had not just read a frame is not one of eye at full rate: it is dropped and counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from device.edges import Room
from tools.benchmark.bare_card import Bare, opening_cards
from tools.benchmark.figures import Figure, Plan, Rows, Section, Spread, percentile, ratios
from tools.benchmark.house import House
from tools.benchmark.openings import Opened, by_card
from tools.benchmark.processes import comes_first, others_percent
from tools.benchmark.reaction import WARM_FRAMES, Condition

LIMIT = 1.5
SAMPLES = 24  # of a condition in a round; with the default of 5 rounds, 120
SAMPLES_QUICK = 8
ROUNDS_QUICK = 2
AWAKE_MS = 100.0  # several frames, also where other work takes the cores
_CONDITIONS = (Condition.IDLE, Condition.EYE)
_ANSWER = "card's last answer to coil, p99, eye at full rate"


@dataclass(slots=True)
class Samples:
    """Milliseconds, by kind, of one condition in one round."""

    answer: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    crypto: list[float] = field(default_factory=list)
    write: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    needed: list[float] = field(default_factory=list)
    dropped: int = 0

    def take(self, opened: Opened, bare: Bare, condition: Condition) -> None:
        """One opening, and the bare one before it."""
        if condition is Condition.EYE and opened.blind_ms > AWAKE_MS:
            self.dropped += 1
            return
        self.answer.append(opened.ms)
        self.whole.append(opened.whole_ms)
        self.crypto.append(bare.crypto)
        self.write.append(bare.write)
        self.bare.append(bare.whole)
        self.needed.append(bare.crypto + bare.write)


def measure(house: House, plan: Plan, tell: Callable[[str], None]) -> Section:
    """p99 with eye at full rate, against the bare opening. Raises NotMeasured."""
    rounds = ROUNDS_QUICK if plan.quick else plan.rounds
    samples = SAMPLES_QUICK if plan.quick else SAMPLES
    taken: dict[Condition, list[Samples]] = {condition: [] for condition in _CONDITIONS}
    others: list[float] = []
    house.crowd()
    first = all(comes_first(int(house.door.state()["pids"][room])) for room in (Room.LOCK, Room.KEEPER))
    with opening_cards(house.drawer / "bare.card", house.door.root / "bare-counters") as bare:

        def sample(condition: Condition, into: Samples) -> None:
            if condition is Condition.EYE:
                house.open_window(WARM_FRAMES)
            alone = bare()
            into.take(by_card(house), alone, condition)
            house.settle()

        for condition in _CONDITIONS:
            sample(condition, Samples())  # the first of each is not counted
        for number in range(rounds):
            fresh = {condition: Samples() for condition in _CONDITIONS}
            others.append(others_percent(0.5))
            for index in range(samples):
                tell(f"card: round {number + 1} of {rounds}, {index + 1} of {samples}")
                for condition in _CONDITIONS[:: 1 if index % 2 else -1]:
                    sample(condition, fresh[condition])
            for condition, one in fresh.items():
                taken[condition].append(one)
    house.door.show(None)
    return section(taken, Spread.of(others), first=first)


def section(taken: dict[Condition, list[Samples]], others: Spread, *, first: bool) -> Section:
    """What the samples say. There are two conditions, and something of each in every round.

    `first`: whether the loops of lock and keeper come before ordinary work.
    """

    def by_round(kind: str, condition: Condition = Condition.EYE) -> list[float]:
        return [percentile(getattr(one, kind), 99) for one in taken[condition]]

    def pooled(kind: str, percent: float = 99, condition: Condition = Condition.EYE) -> float:
        return percentile([value for one in taken[condition] for value in getattr(one, kind)], percent)

    letter = pooled("answer") / pooled("crypto")
    strictest = pooled("answer") / pooled("crypto", 99, Condition.IDLE)
    medians = {kind: pooled("answer", 50) / pooled(kind, 50, Condition.IDLE) for kind in ("needed", "crypto")}
    beside = pooled("answer") / pooled("needed")
    together = pooled("answer") / pooled("needed", 99, Condition.IDLE)
    against_idle = ratios(by_round("answer"), by_round("needed", Condition.IDLE))
    figures = (
        Figure(f"{_ANSWER} / bare crypto and one durable write, idle", against_idle, limit=LIMIT),
        Figure("the same over the samples of all rounds", Spread.of([together]), limit=LIMIT),
        Figure("the same, the bare ones beside eye too", Spread.of([beside])),
        Figure("the same, medians, the bare ones idle", Spread.of([medians["needed"]])),
        Figure(f"{_ANSWER} / bare crypto alone, eye at full rate too", Spread.of([letter]), limit=LIMIT),
        Figure("the same p99 / bare crypto alone, idle", Spread.of([strictest])),
        Figure(f"{_ANSWER} / idle", ratios(by_round("answer"), by_round("answer", Condition.IDLE))),
        Figure(
            "card held there to coil, eye at full rate / in one process, idle: p99",
            ratios(by_round("whole"), by_round("bare", Condition.IDLE)),
        ),
    )
    kinds = {
        "answer": "answer to coil",
        "needed": "crypto + write",
        "crypto": "crypto",
        "write": "write",
        "whole": "card to coil",
        "bare": "in one process",
    }
    head = ("condition", "samples", *(cell for name in kinds.values() for cell in (f"{name} p50", "p99")))
    rows = []
    for condition, rounds in taken.items():
        cells = [f"{pooled(kind, percent, condition):.2f}" for kind in kinds for percent in (50, 99)]
        rows.append((condition.value, str(sum(len(one.answer) for one in rounds)), *cells))
    walls_ms = pooled("whole", 50, Condition.IDLE) - pooled("bare", 50, Condition.IDLE)
    within = "would be met" if strictest <= LIMIT else "would be missed"
    dropped = sum(one.dropped for one in taken[Condition.EYE])
    notes = (
        f"Against bare crypto alone and idle {LIMIT:g} {within}: {strictest:.2f} (medians {medians['crypto']:.2f}).",
        "Other work on the disk makes the write long, and the limit easy to keep: what a quiet run says counts.",
        "The write is keeper's counter, durable before the card counts; it comes before the card's last answer.",
        f"Idle, a whole opening takes {walls_ms:.1f} ms longer than in one process: four messages for each answer.",
        f"Between the rounds other work on this machine took {others.low:.0f} to {others.high:.0f} % of a core.",
        "lock and keeper came first." if first else "This system let neither lock nor keeper come first.",
        f"{dropped} samples were dropped because eye had read no frame just before.",
    )
    return Section("lock: a card to the coil", figures, notes, (Rows("milliseconds", head, tuple(rows)),))
