"""What a room holds, counted in objects and not in kilobytes: of those an allocator gives back or not, as it likes.

Rules kept here:
- What the interpreter keeps aside is given back before it counts. Both have an end, after some thousand acts: free
  lists (of tuples 2,000 of a size), which a full collection empties; and the cache of attributes, 4,096 names, where
  CPython 3.11 puts a new string "__match_args__" for each `case Name(...)` that fits (`match_class` in its ceval.c).
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable


def blocks_an_act(act: Callable[[], object], warm: int, acts: int) -> float:
    """How many blocks of memory one more of `act` leaves behind, after `warm` of them."""
    for _ in range(warm):
        act()
    before = _blocks()
    for _ in range(acts):
        act()
    return (_blocks() - before) / acts


def _blocks() -> int:
    gc.collect()
    sys._clear_type_cache()
    return sys.getallocatedblocks()
