"""Which tests failed, where two runs of pytest each kept their own: one list for `pytest --lf`.

Rules kept here:
- Each run answers for its own part of the tests alone: what begins with the part's prefix is taken from the part's
  list, everything else from the other. A test that passed meanwhile is on neither.
- A list that is not there is empty: pytest writes none before something fails.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

LIST = Path("v", "cache", "lastfailed")  # below pytest's cache_dir


def joined(whole: Mapping[str, bool], part: Mapping[str, bool], prefix: str) -> dict[str, bool]:
    """The failed tests of both runs, by node id; `part` answers for those whose id begins with `prefix`."""
    mine = {name: failed for name, failed in whole.items() if not name.startswith(prefix)}
    return mine | {name: failed for name, failed in part.items() if name.startswith(prefix)}


def _read(cache: Path) -> dict[str, bool]:
    where = cache / LIST
    return dict(json.loads(where.read_text("utf-8"))) if where.exists() else {}


def join(whole: Path, part: Path, prefix: str) -> None:
    """Put the list of the cache folder `part` into that of `whole`. Raises OSError, ValueError for what is no list."""
    before = _read(whole)
    after = joined(before, _read(part), prefix)
    if after != before:
        (whole / LIST).parent.mkdir(parents=True, exist_ok=True)
        (whole / LIST).write_text(json.dumps(after, indent=2, sort_keys=True), "utf-8")


if __name__ == "__main__":
    join(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
