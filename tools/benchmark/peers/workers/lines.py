"""What every worker speaks: one JSON object a line on stdin, one answer a line on the stdout it was started with.

Rules kept here:
- Nothing but answers goes to that stdout: what a peer prints goes to stderr.
- No code of the project is imported: a peer's environment has none.
- Who is meant in a picture with several faces is decided alike for every tool: the large one near the middle, since the
  sets show bystanders whom no door would have.

    {"see": [path, ...]}                                   {"seen": [true, false, ...]}     a picture with a face
    {"ask": [{"gallery": {"1": [path, ...]}, "probes": [path, ...]}, ...]}   {"slots": [1, null, ...],
                                                                              "likeness": [0.4, -0.2, ...]}

`ask` names pictures that were seen; those without a face are left out by whoever asks. `likeness`: of the approach to
whoever of the gallery it is most like, on the tool's own scale, more for more alike.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

See = Callable[[str], bool]
Ask = Callable[[Mapping[str, Sequence[str]], Sequence[str]], "tuple[str | None, float]"]


def answer(begin: Callable[[], tuple[See, Ask]]) -> None:
    """Load by `begin`, say so, and answer until stdin ends."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    see, ask = begin()
    _say(out, {"ready": True})
    for line in sys.stdin:
        asked = json.loads(line)
        if "see" in asked:
            _say(out, {"seen": [see(path) for path in asked["see"]]})
        else:
            told = [ask(one["gallery"], one["probes"]) for one in asked["ask"]]
            slots = [None if slot is None else int(slot) for slot, _ in told]
            _say(out, {"slots": slots, "likeness": [float(likeness) for _, likeness in told]})


def prominence(left: float, top: float, width: float, height: float, picture: tuple[int, int]) -> float:
    """How large and near the middle a face is; `picture` is (height, width), all in pixels."""
    across, down = left + width / 2 - picture[1] / 2, top + height / 2 - picture[0] / 2
    return width * height - 2 * (across * across + down * down)


def _say(out: Any, said: Mapping[str, object]) -> None:
    out.write(json.dumps(said) + "\n")
    out.flush()
