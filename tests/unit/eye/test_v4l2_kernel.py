"""The layout of the kernel's structures, against what a C compiler makes of linux/videodev2.h on a 64-bit machine."""

import ctypes
import errno
import os

import pytest

from device.eye import v4l2_kernel as v4l2

# printf("%lx", VIDIOC_...) with linux-libc-dev 6.1 on x86_64; a request's number holds the size of its structure.
REQUESTS = {
    "QUERY_CAPABILITY": 0x80685600,
    "NAME_FORMAT": 0xC0405602,
    "GET_FORMAT": 0xC0D05604,
    "SET_FORMAT": 0xC0D05605,
    "REQUEST_BUFFERS": 0xC0145608,
    "QUERY_BUFFER": 0xC0585609,
    "QUEUE": 0xC058560F,
    "DEQUEUE": 0xC0585611,
    "STREAM_ON": 0x40045612,
    "STREAM_OFF": 0x40045613,
    "GET_RATE": 0xC0CC5615,
    "SET_RATE": 0xC0CC5616,
    "GET_CONTROL": 0xC008561B,
    "SET_CONTROL": 0xC008561C,
    "NAME_CONTROL": 0xC0445624,
    "NAME_SIZE": 0xC02C564A,
}


@pytest.mark.parametrize("name", REQUESTS)
def test_each_request_has_the_kernels_number(name: str) -> None:
    assert getattr(v4l2, name) == REQUESTS[name]


def test_fields_lie_where_the_kernel_has_them() -> None:
    """offsetof() of the same compiler."""
    assert v4l2.Format.width.offset == 8
    assert v4l2.Format.rest.offset == 8 + 48
    assert (v4l2.Buffer.seconds.offset, v4l2.Buffer.offset.offset, v4l2.Buffer.length.offset) == (0x18, 0x40, 0x48)
    assert ctypes.sizeof(v4l2.Format) == 208


def test_letters_and_numbers_of_formats_are_each_others_inverse() -> None:
    assert v4l2.four("YUYV") == 0x56595559
    assert v4l2.four("MJPG") == 0x47504A4D
    assert v4l2.letters(v4l2.four("Y16 ")) == "Y16"


def test_the_kernel_answers_what_is_no_camera_with_an_error_and_waits_are_bounded() -> None:
    kernel = v4l2.Linux()
    with pytest.raises(FileNotFoundError):
        kernel.open("/dev/v4l/by-path/nothing")
    zero = kernel.open("/dev/zero")
    try:
        with pytest.raises(OSError, match=os.strerror(errno.ENOTTY)):
            kernel.call(zero, v4l2.QUERY_CAPABILITY, v4l2.Capability())
    finally:
        kernel.close(zero)
    reads, writes = os.pipe()
    try:
        assert not kernel.wait(reads, 0.01)
        os.write(writes, b"x")
        assert kernel.wait(reads, 10)
        os.read(reads, 1)
        os.close(writes)
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            kernel.wait(reads, 10)  # gone: neither ready nor worth waiting for
    finally:
        kernel.close(reads)
