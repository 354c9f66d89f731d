"""Whether two stored templates of one person can be told to belong together by somebody without the doors' secrets.

Rules kept here:
- Templates go the door's own way: turned by `Rotation`, packed as a record, and read back from it. A rekey turns back
  and turns anew, as vault does.
- The attacker holds records in the clear, and the score is the one that would tell most if nothing were turned: the
  cosine. Mated: two templates of one person. Non-mated: of two people.
- The measure is D_sys of Gomez-Barrero, Galbally, Rathgeb and Busch, "General Framework to Evaluate Unlinkability in
  Biometric Template Protection Systems", IEEE Transactions on Information Forensics and Security 13 (2018): 0 if a
  score says nothing, 1 if each says everything.
- A histogram of few scores finds a link where none is. What it finds between two samples of the same scores (both of
  strangers) is printed beside every figure: `Scores.of_strangers`.

One score of two templates is not all there is: `households` looks at several people at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from device.vault import record
from device.vault.record import CONSENT_BYTES, FaceRecord
from device.vault.rotation import SECRET_BYTES, Rotation
from device.wire import EMBEDDING_DIM, NO_TENANCY
from tools.evaluate import averaging
from tools.evaluate.figures import Floats, mean_vector
from tools.evaluate.gather import Gallery

Reals = NDArray[np.float64]

# 15,000 mated and 150,000 non-mated scores in 30 bins: two samples of the same scores give 0.007 (test_linkability.py).
MATED = 15_000
STRANGERS_EACH = 10  # non-mated scores for each mated one
BINS = 30
PICTURES = 5  # averaged in a template: [eye] enrol_frames

# Two means of 5 different pictures, 87 people of lfw-dev with 10 or more: 0.888 +- 0.033 for one person, 0.117 +- 0.092
# for two. The people made up here: 0.888 +- 0.033 and 0.114 +- 0.086.
_COMMON, _OWN = 0.117, 0.771  # shares of the squared length that all faces have in common, and that a person keeps
_NOISE, _NOISE_SPREAD = 0.112, 0.030  # share that changes from one template to the next, and how it differs by person


@dataclass(frozen=True)
class People:
    """Two templates (n, 128 each) of the same n people, not turned: row k of both is one person."""

    first: Floats
    second: Floats

    def __len__(self) -> int:
        return len(self.first)

    def of(self, rows: NDArray[np.int_]) -> People:
        """The people in `rows`."""
        return People(self.first[rows], self.second[rows])


@dataclass(frozen=True)
class Scores:
    """Cosines of stored templates: of one person, of two, and again of two, as many as `mated`."""

    mated: Reals
    non_mated: Reals
    of_strangers: Reals

    @property
    def linkability(self) -> float:
        """D_sys."""
        return d_sys(self.mated, self.non_mated)

    @property
    def floor(self) -> float:
        """What the estimator finds where there is nothing to find."""
        return d_sys(self.of_strangers, self.non_mated)


def d_sys(mated: Reals, non_mated: Reals, bins: int = BINS) -> float:
    """Global linkability of two samples of scores, 0 to 1, with equal priors (omega = 1 in the paper).

    Local linkability is D(s) = p(mated | s) - p(non-mated | s) where that is positive, else 0; D_sys is its mean over
    the mated scores. Densities are histograms of `bins` bins of equal width over both samples.
    """
    edges = np.linspace(min(mated.min(), non_mated.min()), max(mated.max(), non_mated.max()), bins + 1)
    same = np.histogram(mated, edges)[0] / len(mated)
    other = np.histogram(non_mated, edges)[0] / len(non_mated)
    linked = same > other
    # Sums of shares may exceed 1 by a rounding error.
    return min(1.0, float(np.sum(same[linked] * (same - other)[linked] / (same + other)[linked])))


def synthetic(count: int, seed: int) -> People:
    """People made up so that their scores look like the embedder's on means of five pictures (see _COMMON)."""
    generator = np.random.default_rng(seed)
    common, own = _units(1, generator), _units(count, generator)
    spread = np.log1p((_NOISE_SPREAD / _NOISE) ** 2)
    changing = generator.lognormal(np.log(_NOISE) - spread / 2, np.sqrt(spread), (count, 1))
    noise = np.sqrt((_COMMON + _OWN) * changing / (1 - changing))
    kept = np.sqrt(_COMMON) * common + np.sqrt(_OWN) * own
    return People(*(_scaled(kept + noise * _units(count, generator)).astype(np.float32) for _ in range(2)))


def photographed(faces: Gallery, seed: int) -> People:
    """People of a folder with 10 or more pictures, each twice: as the means of five different ones."""
    generator = np.random.default_rng(seed)
    own = [p[generator.permutation(len(p))] for p in averaging.with_pictures(faces, 2 * PICTURES)]
    if not own:
        msg = f"nobody in this folder has {2 * PICTURES} pictures"
        raise FileNotFoundError(msg)
    return People(*(np.stack([mean_vector(p[at : at + PICTURES]) for p in own]) for at in (0, PICTURES)))


def stored(secret: bytes, templates: Floats) -> Floats:
    """What a door with this secret holds of them, read back from the records."""
    rotation = Rotation.of(secret)
    return np.stack([_read_back(rotation.apply(each), rotation.tag) for each in templates])


def rekeyed(held: Floats, secret: bytes, renewed: bytes) -> Floats:
    """What the door holds after its secret was renewed."""
    old, new = Rotation.of(secret), Rotation.of(renewed)
    return np.stack([_read_back(new.apply(old.undo(each)), new.tag) for each in held])


def between_doors(people: People, seed: int, mated: int = MATED, *, secret: bytes | None = None) -> Scores:
    """The same people at two doors, over as many pairs of doors as `mated` scores need.

    secret: one for all doors (a fault); else each has its own.
    """
    generator = np.random.default_rng(seed)
    return _scores(
        (
            stored(secret or new_secret(generator), people.first),
            stored(secret or new_secret(generator), people.second),
        )
        for _ in range(ceil(mated / len(people)))
    )


def across_rekey(people: People, seed: int, mated: int = MATED, *, renewed: bool = True) -> Scores:
    """One door before and after a rekey: the very same templates. renewed: whether the secret is (False is a fault)."""
    generator = np.random.default_rng(seed)
    pairs = []
    for _ in range(ceil(mated / len(people))):
        old, new = new_secret(generator), new_secret(generator)
        before = stored(old, people.first)
        pairs.append((before, rekeyed(before, old, new if renewed else old)))
    return _scores(pairs)


def plain(people: People) -> Scores:
    """Nothing turned: what the embedder alone would give away."""
    return _scores([(people.first, people.second)])


def with_the_key(people: People, seed: int) -> float:
    """The smallest cosine between an embedding and what somebody with the secret makes of its record."""
    secret = new_secret(np.random.default_rng(seed))
    rotation = Rotation.of(secret)
    back = np.stack([rotation.undo(each) for each in stored(secret, people.first)])
    return float(_cosines(back, people.first).min())


def table(people: People) -> str:
    """Every figure of this module for `people`, as Markdown."""
    faulty = [
        ("not turned at all", plain(people)),
        ("fault: two doors with one secret", between_doors(people, seed=1, secret=bytes(SECRET_BYTES))),
        ("fault: a rekey that keeps the secret", across_rekey(people, seed=2, renewed=False)),
    ]
    sound = [
        ("two doors", between_doors(people, seed=1)),
        ("before and after a rekey", across_rekey(people, seed=2)),
    ]
    lines = [
        f"One template against one, {len(people)} people:",
        "",
        "| | scores of one person | of two people | D_sys | D_sys of strangers alone |",
        "|---|---|---|---|---|",
        *(f"{_row(name, made)} {made.floor:.4f} |" for name, made in sound),
        *(f"{_row(name, made)} |" for name, made in faulty),
        "",
        f"With the secret: cosine with the embedding at least {with_the_key(people, seed=3):.6f}",
    ]
    return "\n".join(lines)


def _row(name: str, made: Scores) -> str:
    return f"| {name} | {_spread(made.mated)} | {_spread(made.non_mated)} | {made.linkability:.4f} |"


def _spread(scores: Reals) -> str:
    return f"{scores.mean():.3f} ± {scores.std():.3f} ({len(scores):,})"


def new_secret(generator: np.random.Generator) -> bytes:
    """A repeatable one: never a door's."""
    return generator.bytes(SECRET_BYTES)


def _scores(pairs: Iterable[tuple[Floats, Floats]]) -> Scores:
    mated, non_mated, again = [], [], []
    for one, other in pairs:
        mated.append(_cosines(one, other))
        non_mated += [_cosines(one, np.roll(other, shift, axis=0)) for shift in range(1, STRANGERS_EACH + 1)]
        again.append(_cosines(one, np.roll(other, STRANGERS_EACH + 1, axis=0)))
    return Scores(np.concatenate(mated), np.concatenate(non_mated), np.concatenate(again))


def _cosines(one: Floats, other: Floats) -> Reals:
    wide, wider = one.astype(np.float64), other.astype(np.float64)
    cosines: Reals = np.sum(wide * wider, axis=1) / np.linalg.norm(wide, axis=1) / np.linalg.norm(wider, axis=1)
    return cosines


def _read_back(turned: Floats, tag: bytes) -> Floats:
    face = FaceRecord(record.to_bytes(turned), tag, PICTURES, bytes(CONSENT_BYTES), b"t" * len(NO_TENANCY), 20_000)
    return np.frombuffer(record.parse(record.pack(face)).template, dtype="<f4").astype(np.float32)


def _units(count: int, generator: np.random.Generator) -> Reals:
    return _scaled(generator.normal(size=(count, EMBEDDING_DIM)))


def _scaled(vectors: Reals) -> Reals:
    scaled: Reals = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled
