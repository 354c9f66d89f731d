"""What a V4L2 camera says of itself: driver, model, the socket it hangs in, and the pictures it can give.

Rules kept here:
- It is asked on the descriptor that will stream, or on one that is closed at once; no frame is read and nothing is set.
- Of its modes those count that eye could use, YUYV and Motion-JPEG with their sizes: a kernel that learns to name more
  formats does not make another camera of it. The driver's version does not count either.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from device.eye import v4l2_kernel as v4l2
from device.eye.camera_id import Identity, identity
from device.eye.v4l2_modes import formats, sizes

_FORMS: Final = ("YUYV", "MJPG")


def identify(kernel: v4l2.Kernel, fd: int) -> Identity:
    """Who the camera behind `fd` is. Raises OSError."""
    told = capability(kernel, fd)
    return identity(_text(told.driver), _text(told.card), _text(told.bus), _modes(kernel, fd))


def capability(kernel: v4l2.Kernel, fd: int) -> v4l2.Capability:
    """What the driver answers to VIDIOC_QUERYCAP. Raises OSError."""
    told = v4l2.Capability()
    kernel.call(fd, v4l2.QUERY_CAPABILITY, told)
    return told


def streams(told: v4l2.Capability) -> bool:
    """Whether that is a node of a camera that streams."""
    can = told.node if told.device & v4l2.TELLS_NODE else told.device
    return bool(can & v4l2.CAN_CAPTURE and can & v4l2.CAN_STREAM)


def _modes(kernel: v4l2.Kernel, fd: int) -> Iterator[str]:
    has = set(formats(kernel, fd))
    return (f"{form} {size}" for form in _FORMS if form in has for size in (*sizes(kernel, fd, form), "at all"))


def _text(told: bytes) -> str:
    return told.decode("ascii", "replace")
