"""A camera's automatic exposure, gain and white balance: held for a decision, given back after it.

Rules kept here:
- The frames of one decision are exposed alike where the camera can: they are averaged, and a light that is switched on
  on purpose must show.
- When a camera is opened its automatic controls are set to their defaults: what a process that was killed left held is
  given back by the next one.
- A frame is not exposed longer than its rate allows, even in the dark (`EXPOSURE_AUTO_PRIORITY` off): what is promised
  about a frame's age rests on it.
- A control that a camera lacks, or does not let be set now, is left as it is: only a camera that is gone is a fault.
"""

from __future__ import annotations

import errno
from typing import Final

from device.eye import v4l2_kernel as v4l2

# The control, and what it is set to in order to hold the picture as it is.
_HELD: Final = (
    (v4l2.EXPOSURE_AUTO, v4l2.EXPOSURE_MANUAL),
    (v4l2.AUTO_GAIN, 0),
    (v4l2.AUTO_WHITE_BALANCE, 0),
)
_GONE: Final = (errno.ENODEV, errno.EIO, errno.ENXIO)


class Steady:
    """The automatic controls of one open camera. All methods raise OSError for a camera that is gone."""

    def __init__(self, kernel: v4l2.Kernel, fd: int) -> None:
        self._kernel, self._fd = kernel, fd
        self._before: list[tuple[int, int]] = []
        for control, _ in _HELD:
            default = self._default(control)
            if default is not None:
                self._set(control, default)
        if self._default(v4l2.EXPOSURE_AUTO_PRIORITY) is not None:
            self._set(v4l2.EXPOSURE_AUTO_PRIORITY, 0)

    @property
    def held(self) -> bool:
        """Whether anything is held."""
        return bool(self._before)

    def hold(self) -> None:
        """Keep exposure, gain and white balance as they are; nothing happens if they are held."""
        if self._before:
            return
        for control, still in _HELD:
            now = self._get(control) if self._default(control) is not None else None
            if now is not None and now != still and self._set(control, still):
                self._before.append((control, now))

    def give_back(self) -> None:
        """Let the camera choose again; nothing happens if nothing is held."""
        before, self._before = self._before, []
        for control, value in reversed(before):
            self._set(control, value)

    def _default(self, control: int) -> int | None:
        """The control's default, None if this camera has no such control or it cannot be set."""
        told = v4l2.ControlName(id=control)
        if not self._done(v4l2.NAME_CONTROL, told) or told.flags & (v4l2.CONTROL_DISABLED | v4l2.CONTROL_READ_ONLY):
            return None
        return int(told.default)

    def _get(self, control: int) -> int | None:
        told = v4l2.Control(id=control)
        return int(told.value) if self._done(v4l2.GET_CONTROL, told) else None

    def _set(self, control: int, value: int) -> bool:
        return self._done(v4l2.SET_CONTROL, v4l2.Control(id=control, value=value))

    def _done(self, request: int, argument: v4l2.Argument) -> bool:
        try:
            self._kernel.call(self._fd, request, argument)
        except OSError as error:
            if error.errno in _GONE:
                raise
            return False
        return True
