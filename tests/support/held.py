"""What a room holds, counted in objects and not in kilobytes: of those an allocator gives back or not, as it likes.

Rules kept here:
- What the interpreter keeps aside is given back before it counts. Both have an end, after some thousand acts: free
  lists (of tuples 2,000 of a size), which a full collection empties; and the cache of attributes, 4,096 names, where
  CPython 3.11 puts a new string "__match_args__" for each `case Name(...)` that fits (`match_class` in its ceval.c).
- What fills those lists is asked with `free_lists`: `tuple(... for ...)` is made with room for ten and then cut, so it
  comes from one list and goes back into another, which is longer by one each time (`PySequence_Tuple`).
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable


def blocks_an_act(act: Callable[[], object], warm: int, acts: int, *, free_lists: bool = False) -> float:
    """How many blocks of memory one more of `act` leaves behind, after `warm` of them.

    `free_lists`: also those that the interpreter keeps aside in free lists.
    """
    for _ in range(warm):
        act()
    before = _blocks(free_lists=False)
    for _ in range(acts):
        act()
    return (_blocks(free_lists=free_lists) - before) / acts


def _blocks(*, free_lists: bool) -> int:
    gc.collect(0 if free_lists else 2)  # of the oldest objects alone it empties them
    sys._clear_type_cache()
    return sys.getallocatedblocks()
