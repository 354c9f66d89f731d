"""How near somebody comes to a template who may send probe after probe to a vault and adapts to its answers.

Rules kept here:
- The probes go vault's own way: `Recogniser.judge`, with the measured threshold of one face awake and the limit of
  failures. Time is simulated: the client waits until its next probe will be compared, which is its best case.
- What counts is the best true score that any of its probes had, which the client does not see.
- The same client is also given a vault that leaks the score. There it has to climb, or its failure elsewhere would say
  nothing about the vault.

Who can send such probes has taken over eye, and pressed the face button for every three of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import atan2, cos, erfc, pi, sin, sqrt, tan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from device import manifest, wire
from device.manifest import Job
from device.vault import tail
from device.vault.budget import FAILURES_ALLOWED, FAILURES_SPAN_NS, Budget, Thresholds
from device.vault.gallery import Gallery, gallery_of
from device.vault.recognition import Recogniser
from device.vault.record import Averaged, Vector, to_bytes
from device.vault.rotation import Rotation
from device.wire import EMBEDDING_DIM
from tools.evaluate.linkability import new_secret

Reals = NDArray[np.float64]

PICTURES, FRAMES = 5, 3
SLOT = 1
PACE_NS = FAILURES_SPAN_NS // FAILURES_ALLOWED + 1
BISECTIONS = (2, 4, 8, 16)
_WIDEST = 10.0  # a step so wide forgets where it began
_WIDER, _NARROWER = 1.25, 0.945  # one success in five keeps a step as wide as it is (Rechenberg's rule, 1973)


@dataclass
class Target:
    """A vault with one face awake, asked through `ask`; what the attacker does not see is counted here."""

    recogniser: Recogniser
    template: Vector  # as eye makes it
    gallery: Gallery
    threshold: float
    now_ns: int = 0
    asked: int = 0
    opened: int = 0
    best: float = -1.0
    _names: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def ask(self, probe: Vector) -> float:
        """1 if the door would open, 0 if not."""
        self.now_ns += PACE_NS
        self.asked += 1
        self.best = max(self.best, float(self.template @ probe))
        msg = wire.Probe(
            self._names.bytes(16),
            self.now_ns,
            FRAMES,
            wire.Attack.NOT_TESTED,
            self.recogniser.model_id,
            to_bytes(probe),
        )
        accepted = self.recogniser.judge(msg, self.gallery, self.now_ns) == SLOT
        self.opened += accepted
        return float(accepted)


class LeakyTarget(Target):
    """The fault: a vault that says how near a probe was."""

    def ask(self, probe: Vector) -> float:
        """The score itself."""
        super().ask(probe)
        return float(self.template @ probe)


Client = Callable[[Target, int, np.random.Generator], None]


def target_of(thresholds: Thresholds, seed: int, kind: type[Target] = Target) -> Target:
    """A vault with a random face, turned by a random secret."""
    generator = np.random.default_rng(seed)
    template, rotation = unit(generator), Rotation.of(new_secret(generator))
    gallery = gallery_of({SLOT: rotation.apply(template)}, rotation, Averaged(PICTURES, PICTURES))
    threshold = thresholds.threshold(1, PICTURES)
    if threshold is None:
        raise ValueError("a face alone is never compared under these thresholds")
    return kind(Recogniser(b"m" * 8, thresholds), template, gallery, threshold)


def guess(target: Target, probes: int, generator: np.random.Generator) -> None:
    """Ask for random directions, whatever the answers."""
    for _ in range(probes):
        target.ask(unit(generator))
        if target.opened:
            return


def climb(target: Target, probes: int, generator: np.random.Generator) -> None:
    """Keep each step whose answer is no worse and then step wider; else step narrower. Ends when the door opens."""
    best = unit(generator)
    seen, step = target.ask(best), 1.0
    for _ in range(probes - 1):
        if target.opened:
            return
        tried = _unit(best + step * generator.normal(size=EMBEDDING_DIM) / sqrt(EMBEDDING_DIM))
        answer = target.ask(tried)
        if answer >= seen:
            best, seen, step = tried, answer, min(_WIDEST, step * _WIDER)
        else:
            step *= _NARROWER


def refine(target: Target, start: Vector, bisections: int, generator: np.random.Generator) -> Vector:
    """The template's direction, found by accepted or refused alone, from a probe `start` that is accepted.

    In the plane of `start` and a direction at right angles to it, the accepted probes are an arc around the template's
    shadow there. 127 directions, two ends each, `bisections` probes an end.
    """
    basis = np.linalg.qr(np.column_stack([start, generator.normal(size=(EMBEDDING_DIM, EMBEDDING_DIM - 1))]))[0]
    base = start.astype(np.float64)
    found = base.copy()
    for direction in basis.T[1:]:
        ends = [_end(target, base, side * direction, bisections) for side in (1, -1)]
        found += tan((ends[0] - ends[1]) / 2) * direction
    return _unit(found)


def _end(target: Target, base: Reals, direction: Reals, bisections: int) -> float:
    """The angle from `base` towards `direction` at which acceptance ends."""
    inside, outside = 0.0, pi / 2
    for _ in range(bisections):
        middle = (inside + outside) / 2
        if target.ask(_unit(cos(middle) * base + sin(middle) * direction)):
            inside = middle
        else:
            outside = middle
    return (inside + outside) / 2


def reached(thresholds: Thresholds, client: Client, probes: int, clients: int, kind: type[Target] = Target) -> Reals:
    """The best true score of each of `clients` clients, each at a door of its own."""
    best = []
    for seed in range(clients):
        target = target_of(thresholds, seed, kind)
        client(target, probes, np.random.default_rng([seed, 1]))
        best.append(target.best)
    return np.array(best)


def by_chance(one: Reals, other: Reals) -> float:
    """How likely `one` is so far ahead of `other`, or farther, if both are alike: Mann and Whitney's U, one-sided.

    By the normal approximation with continuity correction (Annals of Mathematical Statistics 18, 1947), for 8 or more.
    """
    ahead = float((one[:, None] > other[None, :]).sum() + 0.5 * (one[:, None] == other[None, :]).sum())
    m, n = len(one), len(other)
    return 0.5 * erfc((ahead - m * n / 2 - 0.5) / sqrt(m * n * (m + n + 1) / 12) / sqrt(2))


def shipped(models: Path) -> Thresholds:
    """The thresholds of a door with the default budget and the network in `models`."""
    sha256 = manifest.load(models).for_job(Job.EMBED).sha256
    return Thresholds(Budget(), tail.load(models, sha256), FRAMES)


def table(models: Path, probes: int, clients: int) -> str:
    """Every figure of this module, as Markdown."""
    thresholds = shipped(models)
    guessed = reached(thresholds, guess, probes, clients)
    climbed = reached(thresholds, climb, probes, clients)
    leaked = reached(thresholds, climb, probes, clients, LeakyTarget)
    threshold = target_of(thresholds, 0).threshold
    hours = probes * PACE_NS / 3.6e12
    by_answers, by_score = by_chance(climbed, guessed), by_chance(leaked, guessed)
    lines = [
        f"{clients} clients of each kind at threshold {threshold:.3f},",
        f"{probes:,} probes each, {hours:.1f} h at the pace that vault compares them:",
        "",
        "| client | best score, median | highest | doors opened |",
        "|---|---|---|---|",
        *(
            f"| {name} | {np.median(best):.3f} | {best.max():.3f} | {np.count_nonzero(best >= threshold)} |"
            for name, best in (
                ("guesses", guessed),
                ("climbs by accepted or refused", climbed),
                ("fault: climbs by a leaked score", leaked),
            )
        ),
        "",
        f"Climbing against guessing: p = {by_answers:.2f}; by a leaked score: p = {by_score:.1e}",
        "",
        "Somebody whose first probe opens the door already, and who wants the template itself:",
        "",
        "| probes | cosine with the template before | after | times the door would have opened |",
        "|---|---|---|---|",
    ]
    for bisections in BISECTIONS:
        target = target_of(thresholds, seed=0)
        generator = np.random.default_rng(1)
        start = near(target.template, threshold + 0.05, generator)
        found = refine(target, start, bisections, generator)
        before, after = float(target.template @ start), float(target.template @ found)
        lines.append(f"| {target.asked:,} | {before:.3f} | {after:.4f} | {target.opened:,} |")
    return "\n".join(lines)


def near(vector: Vector, cosine: float, generator: np.random.Generator) -> Vector:
    """A unit vector whose cosine with `vector` is `cosine`."""
    other = generator.normal(size=EMBEDDING_DIM)
    base = vector.astype(np.float64) / np.linalg.norm(vector.astype(np.float64))
    other -= (other @ base) * base
    angle = atan2(sqrt(1 - cosine**2), cosine)
    return _unit(cos(angle) * base + sin(angle) * other / np.linalg.norm(other))


def unit(generator: np.random.Generator) -> Vector:
    """A random direction."""
    return _unit(generator.normal(size=EMBEDDING_DIM))


def _unit(vector: Reals) -> Vector:
    scaled: Vector = (vector / np.linalg.norm(vector)).astype(np.float32)
    return scaled
