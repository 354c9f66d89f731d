"""The formats and sizes that a V4L2 camera lists.

Rules kept here:
- A list ends where the driver says EINVAL, or ENOTTY where it has none; it never makes us ask more than `MOST_NAMED`
  times. Any other error is the caller's.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Final

from device.eye import v4l2_kernel as v4l2

MOST_NAMED: Final = 32  # formats and sizes in a sentence, and what a driver may make us ask


def formats(kernel: v4l2.Kernel, fd: int) -> Iterator[str]:
    """The formats by their four letters. Raises OSError."""
    for index in range(MOST_NAMED):
        told = v4l2.FormatName(index=index, kind=v4l2.CAPTURE)
        if not enumerated(kernel, fd, v4l2.NAME_FORMAT, told):
            return
        yield v4l2.letters(told.form)


def sizes(kernel: v4l2.Kernel, fd: int, form: str) -> Iterator[str]:
    """The sizes of a format, in words. Raises OSError."""
    for index in range(MOST_NAMED):
        told = v4l2.FrameSize(index=index, form=v4l2.four(form))
        if not enumerated(kernel, fd, v4l2.NAME_SIZE, told):
            return
        if told.kind == 1:
            yield f"{told.sizes[0]} x {told.sizes[1]}"
        else:
            yield f"up to {told.sizes[1]} x {told.sizes[4]}"
            return


def enumerated(kernel: v4l2.Kernel, fd: int, request: int, told: v4l2.Argument) -> bool:
    """Whether there is an entry of that index; EINVAL is how the list ends, ENOTTY that there is none."""
    try:
        kernel.call(fd, request, told)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOTTY):
            return False
        raise
    return True
