"""Which cases of an exhaustive test `make check` runs.

Rules kept here:
- `make test` runs every case. `make check` leaves out those that are marked slow, and no others.
- Of a test marked `exhaustive(kept)` all cases are slow but `kept` of them, spread over all: the first, the last, and
  some between. Cases whose parameters are added later move the sample and are never left out of `make test`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable


def spread(count: int, kept: int) -> frozenset[int]:
    """`kept` numbers out of range(count), the first and the last among them; the middle if it is one; all if few."""
    if kept < 1:
        msg = "an exhaustive test keeps a case in `make check` at least"
        raise ValueError(msg)
    if kept >= count:
        return frozenset(range(count))
    if kept == 1:
        return frozenset({count // 2})
    return frozenset(step * (count - 1) // (kept - 1) for step in range(kept))


def left_out(cases: Iterable[tuple[Hashable, int]]) -> list[int]:
    """The numbers of the cases that are slow, of cases in their order: (which test, how many of it are kept)."""
    seen: dict[Hashable, list[int]] = {}
    keeps: dict[Hashable, int] = {}
    for number, (test, kept) in enumerate(cases):
        seen.setdefault(test, []).append(number)
        keeps[test] = kept
    return sorted(
        number
        for test, numbers in seen.items()
        for place, number in enumerate(numbers)
        if place not in spread(len(numbers), keeps[test])
    )
