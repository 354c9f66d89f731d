"""What a day came to, in lines: for the log of a long run, and for whoever waits before a terminal.

Rules kept here:
- What was reached stands beside what was asked for; a day that was ended early says so.
- Whoever did not come because faces wait for one another is named as left out: it is no finding, and nothing held.
- A room without a life long enough for a slope is called undecided, never flat.
- A secret that was found in a line is not printed again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tools.soak import house
from tools.soak.day import Day
from tools.soak.memory import Life
from tools.soak.slope import MOST_MB_A_YEAR, OPENINGS_A_DAY, WARM, Slope, Verdict, mb_a_year
from tools.soak.visitors import SPAN_S, WINDOWS


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything a day found; `held` if it was nothing."""

    found: tuple[str, ...]
    undecided: tuple[str, ...]  # rooms whose memory no life was long enough for

    @property
    def held(self) -> bool:
        """Whether everything held."""
        return not self.found


def outcome(day: Day) -> Outcome:
    """What is wrong after `day`, in sentences."""
    found = [f"after {each.at} approaches: {each.what}" for each in day.ledger.found]
    found += [f"{who} wrote a line that holds a secret or a flat" for who in day.journal.leaking]
    found += [f"a line of {line.who} that nothing explains: {line.text}" for line in day.journal.unexplained]
    _, payloads, wrong = day.house.listener.messages.seen()  # the door reports on meanwhile
    found += [f"at the broker: {each}" for each in wrong]
    found += ["at the broker: a message holds a secret"] * sum(
        day.secrets.found_in(each.decode("ascii", "replace")) for each in payloads
    )
    for life in day.memory.lives:
        if life.climbing:
            found.append(f"{life.room}: {' and '.join(life.climbing)} grow")
        elif life.verdict is Verdict.GROWS and life.slope is not None:
            found.append(f"{life.room}: memory grows by {_numbers(life.slope)}")
    undecided = [life.room for life in day.memory.longest() if life.verdict is Verdict.UNDECIDED]
    return Outcome(tuple(found), tuple(undecided))


def lines(day: Day, ended: Outcome) -> Iterator[str]:
    """All of it, with what was found after it."""
    ledger, sizes = day.ledger, day.sizes
    yield (
        f"asked: {sizes.approaches} approaches, {sizes.cycles} homes that change hands, {sizes.kills} kills, "
        f"{sizes.flaps} troubles of the broker, seed {day.seed}"
    )
    early = ", ENDED EARLY" if day.early else ""
    yield (
        f"reached: {ledger.approaches} approaches, {day.cycles} homes that changed hands, {sum(day.kills.values())} "
        f"kills, {day.flaps} troubles of the broker, a power cut, in {day.took_s:.0f} s{early}: "
        f"{ledger.approaches / max(day.took_s, 1):.1f} approaches a second"
    )
    yield from _left_out(day)
    yield (
        f"the door: six real processes, Argon2id as at every door, face with PIN, no lights; "
        f"unlock_ms {house.UNLOCK_MS}, window_s {house.WINDOW_S:g}, enrol_frames {house.ENROL_FRAMES}, "
        f"cadence_s {house.CADENCE_S:g}; a broker with TLS"
    )
    yield "eye and vault come before others on this machine, as on a board that does nothing else"
    yield "drawn ways: " + ", ".join(f"{way} {count}" for way, count in sorted(day.made.items()))
    yield "killed: " + ", ".join(f"{room} {count}" for room, count in day.kills.items())
    yield (
        f"acknowledged: {ledger.acts} acts, {ledger.checked} approaches judged by them, {ledger.doubted} with "
        f"something in doubt; a room died during {ledger.interrupted} approaches, {ledger.again} acts were not "
        f"acknowledged and asked for again, {day.looked_again} times an enrolled face needed another window; "
        f"the strike let go {ledger.openings} times, each accounted for; {day.receipts} pairs of "
        f"consent and receipt verified; {day.house.listener.messages.seen()[0]} messages at the broker"
    )
    yield f"log lines: {day.journal.lines}, of which unexplained {len(day.journal.unexplained)}"
    for each, count in sorted(day.journal.counts.items(), key=lambda item: (item[0].who, -item[1])):
        yield f"  {count} of {each.who}: {each.why}"
    yield from _memory(day)
    yield from (f"FOUND: {each}" for each in ended.found)
    if ended.undecided:
        yield f"undecided: no life of {', '.join(ended.undecided)} was long enough to tell whether its memory is flat"
    yield "soak: everything held" if ended.held else f"soak: {len(ended.found)} findings"


def _left_out(day: Day) -> Iterator[str]:
    faces, homes = day.left_out
    if faces or homes:
        yield (
            f"left out: {faces} faces and {homes} homes that waited for the camera, which looks at {WINDOWS} faces in "
            f"{SPAN_S:.0f} s; more time for them: more approaches, or fewer homes"
        )


def _memory(day: Day) -> Iterator[str]:
    yield (
        f"memory: anonymous, of each life, behind its first {WARM} approaches; kB a 1,000 approaches by Theil and Sen, "
        f"its 95 % interval; flat: the upper end is below {MOST_MB_A_YEAR:g} MB in a year of {OPENINGS_A_DAY} openings "
        "a day"
    )
    longest = {id(life) for life in day.memory.longest()}
    for life in sorted(day.memory.lives, key=lambda life: (life.room, life.began)):
        if life.slope is not None or id(life) in longest:
            yield f"  {_life(life)}{', the longest' if id(life) in longest else ''}"
    short = Counter(life.room for life in day.memory.lives if life.slope is None)
    if short:
        yield "  too short for a slope: " + ", ".join(f"{room} {count}" for room, count in sorted(short.items()))


def _life(life: Life) -> str:
    if not life.samples:
        return f"{life.room}: no sample"
    first, last = life.samples[0], life.samples[-1]
    found, pss = life.slope, life.pss
    told = "no slope" if found is None else f"{_numbers(found)}, {life.verdict}"
    beside = "" if pss is None else f" (PSS {pss.kb:+.1f} [{pss.low_kb:+.1f}, {pss.high_kb:+.1f}])"
    return (
        f"{life.room} from approach {life.began}, {last.approaches} approaches, {len(life.samples)} samples: "
        f"{told}{beside}; "
        f"{first.anonymous_kb} to {last.anonymous_kb} kB; descriptors {first.descriptors} to {last.descriptors}, "
        f"threads {first.threads} to {last.threads}"
    )


def _numbers(found: Slope) -> str:
    zero = "holds 0" if found.holds_zero else "does not hold 0"
    return (
        f"{found.kb:+.1f} [{found.low_kb:+.1f}, {found.high_kb:+.1f}] kB a 1,000 ({zero}), in a year "
        f"{mb_a_year(found.kb):+.2f} [{mb_a_year(found.low_kb):+.2f}, {mb_a_year(found.high_kb):+.2f}] MB"
    )
