"""What became of the windows of a long run, kept so that it can be taken up where it stood.

Rules kept here:
- A line is written when its window has ended, never before; a line that was cut off by a power cut is made anew.
- A record belongs to its sources: one that other code made, of the lab or of eye, or of other people's pictures, is
  refused, not mixed in.
- It holds verdicts and why, and how many frames; nothing of a picture, and no name.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Final

from device.config import parse
from device.errors import Refusal
from device.eye.runtime import PACKAGES, choose
from device.manifest import Job, load
from device.paths import models_dir
from device.wire import Attack
from tools.attack_lab.attempt import Attempt
from tools.endurance.log import digest

Outcome = tuple[Attempt, ...] | None
"""The attempts of a window in order, or None: the pictures showed nobody."""

_ROOT: Final = Path(__file__).resolve().parents[2]
_LAB: Final = (  # what a window is made of, and how it is counted as one; reports and pictures may change
    *("attempt", "camera", "codes", "colours", "conditions", "faces", "faults", "glasses", "head", "instruments"),
    *("landmarks", "light", "place", "run", "setting", "shifted", "surfaces"),
)
_ATTACK: Final = (  # of the device: from a frame to the verdict
    *("brightness", "conditions", "driven", "glance", "judge", "levels", "mesh", "ranking", "relief", "student"),
    *("surface", "watch"),
)
_EYE: Final = ("camera", "choose", "detector", "pictures", "pixels", "runtime")
DECIDE: Final = (
    *(f"tools/attack_lab/{name}.py" for name in _LAB),
    *(f"device/eye/attack/{name}.py" for name in _ATTACK),
    *(f"device/eye/{name}.py" for name in _EYE),
    "device/challenge.py",
)
"""The sources that decide an attempt. What else they import decides none, and a test names it one by one."""

_SEEN_BY: Final = ("numpy", "pillow")  # beside the runtime: what computes pictures and reads photographs


class OtherRecord(Refusal, ValueError):
    """A record that other sources made, or that is none."""


class Record:
    """The file at `path`, begun if it is not there. Raises OtherRecord for one of other sources, or of no such form."""

    def __init__(self, path: Path, sources: str | None = None) -> None:
        self._path = path
        self._found: dict[str, dict[int, Outcome]] = defaultdict(dict)
        wanted = sources or of_sources()
        if not path.exists() or not path.stat().st_size:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"sources": wanted}) + "\n", encoding="utf-8")
            return
        text = path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]  # a last line that was cut off was not counted
        try:
            head, *lines = [json.loads(line) for line in whole.splitlines()]
            made_by = head["sources"]
            for kind, number, attempts in lines:
                self._found[kind][number] = _read(attempts)
        except (ValueError, KeyError, TypeError, IndexError) as cause:
            raise OtherRecord(f"{path} is no record of the attack lab") from cause
        if made_by != wanted:
            raise OtherRecord(f"{path} was made by other sources than these: begin another one")
        if whole != text:
            path.write_text(whole, encoding="utf-8")

    def of(self, kind: str) -> Mapping[int, Outcome]:
        """What is known of a kind, by number of the window."""
        return self._found[kind]

    def all(self) -> dict[str, dict[int, Outcome]]:
        """Every kind that it holds."""
        return {kind: dict(windows) for kind, windows in self._found.items()}

    def add(self, kind: str, number: int, outcome: Outcome) -> None:
        """One more window, at once."""
        told = None if outcome is None else [[each.attack.name, each.why, each.frames, each.seen] for each in outcome]
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([kind, number, told]) + "\n")
        self._found[kind][number] = outcome


def in_folder(folder: Path, sources: str) -> Path:
    """The record of `sources` in `folder`: with other sources it is another file, so that nothing is refused."""
    return folder / f"{sources[:12]}.jsonl"


def of_sources(pictures: str = "") -> str:
    """What tells one state of all that decides an attempt from another; `pictures`: the digest of the faces.

    Sources, and beside them the two networks, the settings of eye that they are used with, the runtime, and libraries.
    """
    config, manifest = parse("", without_id=True), load(models_dir())
    eye, runtime = config.eye, choose(config.eye.runtime)
    about = (
        digest(_ROOT / path for path in DECIDE),
        [manifest.for_job(job).sha256.hex() for job in (Job.DETECT, Job.LANDMARKS)],
        (eye.min_eye_distance_px, eye.max_eye_distance_px, config.sign.view_deg),
        [f"{name} {version(name)}" for name in (PACKAGES[runtime], *_SEEN_BY)],
        pictures,
    )
    return sha256(repr(about).encode()).hexdigest()


def _read(attempts: list[tuple[str, str, int, int]] | None) -> Outcome:
    if attempts is None:
        return None
    return tuple(Attempt(Attack[attack], why, frames, seen) for attack, why, frames, seen in attempts)
