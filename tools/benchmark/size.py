"""keeper: whether a door with 1,000 slots answers as fast as one with 4, by PIN and by card.

Rules kept here:
- Two whole doors, six real processes each, side by side on one disk; they differ in who lives there, and in nothing
  else. Nobody is before their cameras.
- They take turns opening by opening, and change places every time, so that what else the machine does falls on both.
- The resident who opens is the same slot with the same PIN and the same kind of card; the other slots are all taken and
  have as many cards as a slot can have.
- By PIN from the last key to the coil; by card from the card being held there to the coil, because nearly all that
  keeper does with a card comes before its last answer. The attempts are right ones: no guess budget is touched.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.benchmark.figures import Figure, Plan, Rows, Section, Spread, percentile, ratios
from tools.benchmark.guard import guarded
from tools.benchmark.house import PIN, SLOT, UNLOCK_MS, House, card_drawer
from tools.benchmark.openings import by_card, by_pin
from tools.benchmark.processes import others_percent
from tools.benchmark.tenants import move_in
from tools.simulator import layout
from tools.simulator.layout import Wishes

LIMIT = 1.1
SMALL, LARGE = 4, 1000
SAMPLES = 16  # of a door and a way in a round; with the default of 5 rounds, 80
SAMPLES_QUICK = 6
ROUNDS_QUICK = 2
PIN_MS, CARD_MS, ANSWER_MS = "last key to coil", "card held there to coil", "card's last answer to coil"
_WAYS = (PIN_MS, CARD_MS, ANSWER_MS)


@dataclass(slots=True)
class Samples:
    """Milliseconds of one door in one round, by way."""

    of: dict[str, list[float]] = field(default_factory=lambda: {way: [] for way in _WAYS})

    def take(self, house: House) -> None:
        """One opening each by PIN and by card. Raises NotMeasured if the door does not open."""
        pin = by_pin(house, house.open_keys)
        house.settle()
        card = by_card(house)
        house.settle()
        for way, value in zip(_WAYS, (pin.ms, card.whole_ms, card.ms), strict=True):
            self.of[way].append(value)


@contextmanager
def door_with(slots: int) -> Iterator[House]:
    """A running door on which so many slots are taken; its resident has a PIN and a card."""
    with ExitStack() as stack:
        folder, drawer = Path(tempfile.mkdtemp(prefix="dw-")), card_drawer()
        door = stack.enter_context(guarded(folder, drawer))
        wishes = Wishes(unlock_ms=UNLOCK_MS)
        config = layout.make(door.paths, wishes)
        move_in(door.paths, bytes.fromhex(config.door.id), slots, int(SLOT), PIN)
        door.up(wishes)
        house = House(door, "", folder, folder, drawer)
        house.add_card()
        yield house


def measure(plan: Plan, tell: Callable[[str], None]) -> Section:
    """Both ratios. Raises NotMeasured."""
    rounds = ROUNDS_QUICK if plan.quick else plan.rounds
    samples = SAMPLES_QUICK if plan.quick else SAMPLES
    taken: dict[int, list[Samples]] = {SMALL: [], LARGE: []}
    others = []
    tell(f"size: two doors, with {SMALL} and with {LARGE} slots")
    with door_with(SMALL) as small, door_with(LARGE) as large:
        doors = {SMALL: small, LARGE: large}
        for house in doors.values():
            Samples().take(house)  # the first of each is not counted
        for number in range(rounds):
            fresh = {slots: Samples() for slots in doors}
            others.append(others_percent(0.5))
            for index in range(samples):
                tell(f"size: round {number + 1} of {rounds}, {index + 1} of {samples}")
                for slots in list(doors)[:: 1 if index % 2 else -1]:
                    fresh[slots].take(doors[slots])
            for slots, one in fresh.items():
                taken[slots].append(one)
    return section(taken, Spread.of(others))


def section(taken: dict[int, list[Samples]], others: Spread) -> Section:
    """What the samples of both doors say, by round."""

    def by_round(slots: int, way: str) -> list[float]:
        return [percentile(one.of[way], 50) for one in taken[slots]]

    def pooled(slots: int, way: str) -> list[float]:
        return [value for one in taken[slots] for value in one.of[way]]

    figures = []
    for way in (PIN_MS, CARD_MS):
        name = f"{way}, median: {LARGE} slots / {SMALL}"
        figures.append(Figure(name, ratios(by_round(LARGE, way), by_round(SMALL, way)), limit=LIMIT))
        whole = percentile(pooled(LARGE, way), 50) / percentile(pooled(SMALL, way), 50)
        figures.append(Figure("the same over the samples of all rounds", Spread.of([whole]), limit=LIMIT))
        tail = percentile(pooled(LARGE, way), 99) / percentile(pooled(SMALL, way), 99)
        figures.append(Figure(f"{way}, p99 of all rounds: {LARGE} slots / {SMALL}", Spread.of([tail])))
    answer = ratios(by_round(LARGE, ANSWER_MS), by_round(SMALL, ANSWER_MS))
    figures.append(Figure(f"{ANSWER_MS}, median: {LARGE} slots / {SMALL}", answer))
    rows = []
    for slots in taken:
        times = [f"{percentile(pooled(slots, way), percent):.2f}" for way in _WAYS for percent in (50, 99)]
        rows.append((str(slots), str(len(pooled(slots, PIN_MS))), *times))
    head = ("slots", "samples", "key to coil p50", "p99", "card to coil p50", "p99", "answer to coil p50", "p99")
    notes = (
        f"Each of the {LARGE} slots but one has two cards: {2 * LARGE - 1} cards are counted.",
        "p99 of so few samples is the one or two slowest, so no limit is stated for it.",
        f"Between the rounds other work on this machine took {others.low:.0f} to {others.high:.0f} % of a core.",
    )
    return Section(
        f"keeper: a door with {LARGE} slots, and one with {SMALL}",
        tuple(figures),
        notes,
        (Rows("milliseconds", head, tuple(rows)),),
    )
