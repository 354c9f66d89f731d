"""Which camera it is: what it says of itself, held against the one that was pinned at set-up.

Rules kept here:
- Only the pinned camera is looked through: another driver, model, place or set of modes is a fault with both named, and
  the door goes on with PIN and card. Without a pin the first one seen since eye started counts.
- What is fed with pictures by a program is no camera: loopback drivers, and USB that comes over a wire of software, are
  refused whatever is pinned.
- The kernel's own test cameras show no door. They are never taken as the first one seen; a pin that names one in full
  is the installer's word, and tests of the drivers give it.

What it cannot see: all of this is what a device says of itself. One that was built to say the same in the same socket
is the same here; so is a screen in front of the right lens. A kernel that lies has been taken over with the whole door.

Sources: v4l2loopback.c and akvcam's driver for what they answer to VIDIOC_QUERYCAP; usb_make_path of the kernel, which
puts the host controller's name into a camera's bus: "vhci_hcd" is USB/IP's, "dummy_hcd" that of gadgets on the same
machine; libcamera's virtual pipeline and vimc's for how they call their cameras.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from device.errors import CameraFault
from device.journal import log

_FED_DRIVERS: Final = ("v4l2 loopback", "v4l2loopback", "akvcam")
_FED_PLACES: Final = ("platform:v4l2loopback", "platform:akvcam", "usb-vhci_hcd", "usb-dummy_hcd")
_FED_BY_LIBCAMERA: Final = ("virtual",)
_TEST_DRIVERS: Final = ("vivid", "vimc")
_NO_MODES: Final = "-"
_DIGITS: Final = 16
_LONGEST: Final = 200  # of a part, as `device.config.tables` bounds it; the longest that a kernel names has 31


@dataclass(frozen=True, slots=True)
class Identity:
    """A camera as it calls itself: `driver`, `model` and `place` of printable ASCII without "|"; `modes` a digest.

    Its text is what `[camera] pinned` holds: the four with "|" between them.
    """

    driver: str
    model: str
    place: str
    modes: str = _NO_MODES

    def __str__(self) -> str:
        return f"{self.driver}|{self.model}|{self.place}|{self.modes}"


def identity(driver: str, model: str, place: str, modes: Iterable[str] | None = None) -> Identity:
    """An identity of what a driver told. `modes`: one text each, in any order; None where they cannot be asked."""
    digest = _NO_MODES
    if modes is not None:
        digest = hashlib.sha256("\n".join(sorted(modes)).encode()).hexdigest()[:_DIGITS]
    return Identity(_plain(driver), _plain(model), _plain(place), digest)


@runtime_checkable
class Named(Protocol):
    """A camera that can be told from others."""

    def identity(self) -> Identity:
        """What the camera that is there says of itself, pinned or not; no frame is read. Raises CameraFault."""


class Pin:
    """The camera that counts: `pinned` of door.toml, or with an empty one the first that was seen."""

    def __init__(self, pinned: str) -> None:
        self._pinned = pinned
        self._named = bool(pinned)
        self._seen = ""

    def hold(self, seen: Identity) -> None:
        """Nothing, if `seen` is the camera that counts. Raises CameraFault."""
        _refuse_fed(seen)
        if not self._named and _is_test(seen):
            msg = f"{seen} is a test camera of the kernel; it counts only where [camera] pinned names it in full"
            raise CameraFault(msg)
        if self._pinned and str(seen) != self._pinned:
            msg = f"another camera is there: {seen} instead of {self._pinned}; `doorctl setup` pins the right one"
            raise CameraFault(msg)
        if not self._seen:
            log(f"eye: the camera is {seen}")
        self._pinned = self._seen = str(seen)


def _refuse_fed(seen: Identity) -> None:
    model, place = seen.model.lower(), seen.place.lower()
    by_libcamera = seen.driver == "libcamera" and any(name in f"{model} {place}" for name in _FED_BY_LIBCAMERA)
    if seen.driver.lower() in _FED_DRIVERS or place.startswith(_FED_PLACES) or by_libcamera:
        msg = f"{seen} is no camera: a program feeds it with pictures"
        raise CameraFault(msg)


def _is_test(seen: Identity) -> bool:
    return seen.driver in _TEST_DRIVERS or (seen.driver == "libcamera" and "vimc" in seen.place.lower())


def _plain(told: str) -> str:
    """What a driver told, as it may stand in a setting and in a log; "?" for what may not."""
    kept = "".join(letter if " " <= letter <= "~" and letter != "|" else "?" for letter in told.strip())
    return kept[:_LONGEST] or "?"
