"""Who can stand before the drawn door, and what is shown of them on the page.

Rules kept here:
- Public sample portraits alone (`tools.portraits`), or a drawn figure in their place: never a frame of the camera.
- The resident who comes home is not the picture that was enrolled.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.portraits import portrait
from tools.simulator.held_up import As

A_STEP_NEARER: Final = 1.1
NEARER: Final = 1.3  # this portrait shows more of the coat than the others: its owner stands a step nearer
EACH_A_SAMPLE_FPS: Final = 2.4  # eye takes one every 400 ms while somebody enrols, so that all pictures count


@dataclass(frozen=True, slots=True)
class Held:
    """Who is before the lens, and as what."""

    who: str = ""
    kind: str = ""

    def as_json(self) -> dict[str, str]:
        """For the page."""
        return {"who": self.who, "kind": self.kind, "words": in_words(self.who, self.kind)}


PEOPLE: Final = {"resident": "the resident", "stranger": "a stranger"}
KINDS: Final = {
    As.LIVE: "in person",
    As.PRINT: "on paper",
    As.SCREEN: "on a telephone",
    As.VIDEO: "behind the lens",
    As.CUTOUT: "cut out",
    As.TURNING: "in person, turning when asked",
    As.TURNED_PRINT: "on paper, turned when asked",
}


def in_words(who: str, kind: str) -> str:
    """Who is before the lens, such as "the resident, on paper"."""
    return f"{PEOPLE[who]}, {KINDS[As(kind)]}" if who else "nobody"


def picture(who: str) -> Path:
    """The portrait of somebody in PEOPLE. Raises the errors of `tools.samples.sample`."""
    return {"resident": lambda: portrait("obama3.jpg", NEARER), "stranger": lambda: portrait("biden.jpg")}[who]()


def enrolling(folder: Path) -> Path:
    """Two other portraits of the resident, each from two distances, as a new or the same folder `folder`."""
    folder.mkdir(exist_ok=True)
    for zoom in (1.0, A_STEP_NEARER):
        for name in ("obama.jpg", "obama2.jpg"):
            view = portrait(name, zoom)
            (folder / f"{zoom:g}-{view.name}").write_bytes(view.read_bytes())
    return folder
