"""What the page draws of a door: read off the simulated hardware, and nothing added. Pure.

Rules kept here:
- A door that does not answer has no power: dark, still, and whatever its wiring makes of the bolt then.
- Only what the hardware says is drawn. What lock believes, and what keeper or vault know, is not asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from device.lock.bolt import Wiring


@dataclass(frozen=True, slots=True)
class View:
    """One moment of the hardware. `lights`: left and right of the lens, 0 to 3. `signals`: made since it has power."""

    power: bool
    granted: bool
    leaf_open: bool = False
    lamp: bool = False
    lights: tuple[int, int] = (0, 0)
    camera_open: bool = False
    frames: int = 0
    releases: int = 0
    signals: int = 0
    processes: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For the page."""
        return {
            "power": self.power,
            "granted": self.granted,
            "leaf_open": self.leaf_open,
            "lamp": self.lamp,
            "lights": list(self.lights),
            "camera_open": self.camera_open,
            "frames": self.frames,
            "processes": dict(self.processes),
        }


def of(state: Mapping[str, Any]) -> View:
    """The view of `doorsim state`."""
    left, right = state["lights"]
    return View(
        power=True,
        granted=bool(state["granted"]),
        leaf_open=state["door"] == "open",
        lamp=bool(state["indicator"]),
        lights=(int(left), int(right)),
        camera_open=bool(state["camera_open"]),
        frames=int(state["frames_read"]),
        releases=int(state["releases"]),
        signals=int(state["signals_made"]),
        processes=tuple(state["processes"].items()),
    )


def without_power(wiring: Wiring) -> View:
    """A door whose cord was pulled: a fail-safe lock lets go then, by design."""
    return View(power=False, granted=wiring is Wiring.FAIL_SAFE)


def new_signals(before: View, now: View, kept: Sequence[str]) -> list[str]:
    """The tones since `before`; `kept` are the last ones the hardware remembers, and `now` says how many there were."""
    made = now.signals - before.signals if before.power and now.signals >= before.signals else now.signals
    return list(kept)[-made:] if made > 0 else []
