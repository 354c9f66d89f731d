"""tried.toml beside door.toml: which attacks were held up to this door (`doorctl try-attacks`), and what came of it.

Rules kept here:
- Root alone writes it, at the door. It holds counts and what they hold for, and nothing of anybody who was seen.
- It holds for exactly what was tried: the software's version, the three networks, the camera as pinned and its size of
  picture, where the lights are. Whatever of that changes, the try-out holds no more, and a sentence says which.
- A try-out in which nobody was taken for a live face says nothing about attacks: it does not count either.
- What a simulated door tried holds for no other door, and switches nothing on.
- One copy is enough: without it, or with a damaged one, a face needs the PIN as on any door, and nothing else changes.

How often such an attack may get through although it never did in n tries: at most p with (1 - p)^n = 2.5 %, the upper
end of the two-sided 95 % interval of C. Clopper and E. Pearson, "The use of confidence or fiducial limits illustrated
in the case of the binomial", Biometrika 26 (1934) 404-413: 17 % after 20 tries, 12 % after 30. What it assumes, that
the tries are like those to come, nobody can promise: a better print is another instrument.

Pure, but for `read` and `facts`.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum, unique
from pathlib import Path
from typing import Annotated

from device import manifest
from device.errors import ConfigRefused, ModelRefused
from device.learned import text_of
from device.manifest import Job
from device.settings import Between, Matching, OneOfNumbers, named, read_table
from device.version import software_version

FILE = "tried.toml"
FORM = 1
LEAST_ATTACKS = 30  # of each kind: none of 30 taken for a live face means at most 12 % (`upper_bound`)
LEAST_LIVE = 15  # five presses
MOST_TRIES = 999
CONFIDENCE = 0.95
_STEPS = 60  # of a bisection: more than a float tells apart
_SHA256 = Matching(r"[0-9a-f]{64}", "64 hexadecimal digits")
_PRINTABLE = Matching(r"[ -~]{0,1000}", "at most 1000 printable letters")


@unique
class Instrument(StrEnum):
    """What is held up, or who stands there."""

    LIVE = "live"
    PRINT = "print"
    SCREEN = "screen"


ATTACKS = (Instrument.PRINT, Instrument.SCREEN)


@dataclass(frozen=True, slots=True)
class Count:
    """What an instrument was held for: a live face, an attack, or neither with certainty."""

    as_live: Annotated[int, Between(0, MOST_TRIES)]
    as_attack: Annotated[int, Between(0, MOST_TRIES)]
    unclear: Annotated[int, Between(0, MOST_TRIES)]

    @property
    def tries(self) -> int:
        """All of them."""
        return self.as_live + self.as_attack + self.unclear


@dataclass(frozen=True, slots=True)
class Facts:
    """What a try-out holds for; `detector`, `mesh` and `embedder` are the sha256 of the networks' files."""

    version: Annotated[str, _PRINTABLE]
    detector: Annotated[str, _SHA256]
    mesh: Annotated[str, _SHA256]
    embedder: Annotated[str, _SHA256]
    camera: Annotated[str, _PRINTABLE]
    light_offset_mm: Annotated[float, Between(30, 300)]


_CALLED = {
    "version": "the version of the software",
    "detector": "the network that finds faces",
    "mesh": "the network that finds the shape of a face",
    "embedder": "the network that recognises faces",
    "camera": "the camera or its size of picture",
    "light_offset_mm": "where the lights are",
}


@dataclass(frozen=True, slots=True)
class Tryout:
    """One `doorctl try-attacks`. `date` is that of the door's clock, year-month-day."""

    date: str
    simulated: bool
    facts: Facts
    counts: dict[Instrument, Count]


@dataclass(frozen=True, slots=True)
class _Head:
    form: Annotated[int, OneOfNumbers((FORM,))]
    date: Annotated[str, Matching(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "a date such as 2026-11-23")]
    simulated: bool


# ---- the file


def read(config: Path) -> Tryout | None:
    """The try-out of the door with the door.toml `config`; None without one. Raises ConfigRefused if it is damaged."""
    text = text_of(config.with_name(FILE))
    return None if text is None else parse(text)


def known(config: Path) -> Tryout | None:
    """The same, None also if it is damaged."""
    try:
        return read(config)
    except ConfigRefused:
        return None


def parse(text: str) -> Tryout:
    """The try-out in `text`. Raises ConfigRefused."""
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as cause:
        msg = f"{FILE} is no TOML; `doorctl try-attacks` writes it anew"
        raise ConfigRefused(msg) from cause
    head = read_table(_Head, tables.pop("tried", None), "tried")
    facts = read_table(Facts, tables.pop("holds", None), "holds")
    counts = {each: read_table(Count, tables.pop(each.value, None), each.value) for each in Instrument}
    if tables:
        msg = f"[{named(next(iter(tables)))}] is not a table of {FILE}"
        raise ConfigRefused(msg)
    return Tryout(head.date, head.simulated, facts, counts)


def render(tryout: Tryout) -> str:
    """tried.toml for `tryout`: `parse(render(t))` is `t`. What says that it is one comes last: a torn file is none."""
    head = (f"form = {FORM}", f'date = "{tryout.date}"', f"simulated = {str(tryout.simulated).lower()}")
    facts = ((field.name, getattr(tryout.facts, field.name)) for field in fields(Facts))
    holds = (
        f"{name} = {value!r}" if isinstance(value, float) else f"{name} = {json.dumps(value)}" for name, value in facts
    )
    parts = [_table("holds", holds)]
    for instrument in Instrument:
        count = tryout.counts[instrument]
        parts.append(_table(instrument, (f"{field.name} = {getattr(count, field.name)}" for field in fields(Count))))
    parts.append(_table("tried", head))
    return "# Written by `doorctl try-attacks`: what was held up to this door, and what it holds for.\n" + "".join(
        parts
    )


def facts(folder: Path, camera: str, light_offset_mm: float) -> Facts:
    """What holds here now; `folder` is that of the networks. Raises ModelRefused."""
    found = manifest.load(folder)
    detector, mesh, embedder = (found.for_job(job).sha256.hex() for job in (Job.DETECT, Job.LANDMARKS, Job.EMBED))
    return Facts(software_version(), detector, mesh, embedder, camera, light_offset_mm)


# ---- what it is worth


def why_not(tryout: Tryout | None, now: Facts | ModelRefused) -> str:
    """Why a face alone may not open here by what was tried, in one sentence without its full stop; empty if it may."""
    again = "try again with `doorctl try-attacks`"
    if tryout is None:
        return "nobody has held up a print and a screen to this door yet; `doorctl try-attacks` leads through it"
    if tryout.simulated:
        return f"what was tried was tried on a simulated door; {again}"
    if isinstance(now, ModelRefused):
        return f"the networks cannot be compared with those that were tried: {now}"
    if changed := [_CALLED[field.name] for field in fields(Facts) if _differs(tryout.facts, now, field.name)]:
        return f"{' and '.join(changed)} changed since attacks were tried on {tryout.date}; {again}"
    for instrument in ATTACKS:
        count = tryout.counts[instrument]
        if count.as_live:
            return f"a {instrument} was taken for a live face in {count.as_live} of {count.tries} tries at this door"
        if count.tries < LEAST_ATTACKS:
            return f"a {instrument} was held up {count.tries} times only, and {LEAST_ATTACKS} are needed; {again}"
    live = tryout.counts[Instrument.LIVE]
    if live.tries < LEAST_LIVE or 2 * live.as_live <= live.tries:
        return (
            f"a live face was taken for one in {live.as_live} of {live.tries} tries, and more than half of at least "
            f"{LEAST_LIVE} are needed for the others to say anything; {again}"
        )
    return ""


def upper_bound(count: int, tries: int) -> float:
    """The upper end of the two-sided 95 % interval of a rate of which `count` of `tries` were seen (see above).

    The p at which `count` or fewer have a chance of 2.5 %; 1 if all were seen, or none was tried.
    """
    if count >= tries:
        return 1.0
    low, high = count / tries, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _at_most(count, tries, middle) > (1 - CONFIDENCE) / 2:
            low = middle
        else:
            high = middle
    return high


def percent(rate: float) -> int:
    """A rate in whole percent, rounded up: a bound stays one."""
    return math.ceil(rate * 100 - 1e-9)


def _at_most(count: int, tries: int, rate: float) -> float:
    """The chance of `count` or fewer of `tries`, each with chance `rate`: the binomial distribution."""
    if not 0 < rate < 1:
        return 1.0 if rate <= 0 else 0.0
    logs = (
        math.lgamma(tries + 1)
        - math.lgamma(each + 1)
        - math.lgamma(tries - each + 1)
        + each * math.log(rate)
        + (tries - each) * math.log1p(-rate)
        for each in range(count + 1)
    )
    return math.fsum(math.exp(log) for log in logs)


def _differs(before: Facts, now: Facts, name: str) -> bool:
    return bool(getattr(before, name) != getattr(now, name))


def _table(name: str, lines: Iterable[str]) -> str:
    return f"\n[{name}]\n" + "".join(f"{line}\n" for line in lines)
