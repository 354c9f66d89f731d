"""Which camera counts: the pinned one or the first, and never one that a program feeds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import config
from device.errors import CameraFault, ConfigRefused
from device.eye.camera_id import Identity, Pin, identity

HD = identity("uvcvideo", "HD Camera", "usb-0000:00:14.0-2", ["YUYV 640 x 480"])
RIBBON = identity("libcamera", "imx708", "/base/axi/pcie@1000120000/rp1/i2c@88000/imx708@1a")
VIVID = identity("vivid", "vivid", "platform:vivid-000", ["YUYV 640 x 480"])
OTHERS = [
    identity("gspca_zc3xx", "HD Camera", "usb-0000:00:14.0-2", ["YUYV 640 x 480"]),
    identity("uvcvideo", "HD Camera 2", "usb-0000:00:14.0-2", ["YUYV 640 x 480"]),
    identity("uvcvideo", "HD Camera", "usb-0000:00:14.0-3", ["YUYV 640 x 480"]),
    identity("uvcvideo", "HD Camera", "usb-0000:00:14.0-2", ["YUYV 640 x 480", "YUYV 800 x 600"]),
]


@pytest.mark.parametrize("pinned", [str(HD), ""])
@pytest.mark.parametrize("other", OTHERS, ids=["driver", "model", "place", "modes"])
def test_a_camera_that_differs_in_anything_is_a_fault_that_names_both(pinned: str, other: Identity) -> None:
    pin = Pin(pinned)
    pin.hold(HD)
    with pytest.raises(CameraFault) as fault:
        pin.hold(other)
    assert f"{other} instead of {HD}" in str(fault.value)
    pin.hold(HD)  # and the right one is right again


def test_without_a_pin_each_start_of_eye_takes_the_first_one_and_with_one_none_does() -> None:
    Pin("").hold(OTHERS[0])
    with pytest.raises(CameraFault, match="another camera"):
        Pin(str(HD)).hold(OTHERS[0])


@pytest.mark.parametrize(
    "fed",
    [
        identity("v4l2 loopback", "HD Camera", "platform:v4l2loopback-000", ["YUYV 640 x 480"]),
        identity("akvcam", "HD Camera", "platform:akvcam-0", []),
        identity("uvcvideo", "HD Camera", "usb-vhci_hcd.0-1", ["YUYV 640 x 480"]),
        identity("uvcvideo", "HD Camera", "usb-dummy_hcd.0-1", ["YUYV 640 x 480"]),
        identity("libcamera", "Virtual Video Device", "Virtual0"),
    ],
    ids=lambda fed: fed.place,
)
@pytest.mark.parametrize("named", [False, True])
def test_what_a_program_feeds_is_refused_even_where_it_is_pinned(fed: Identity, named: bool) -> None:
    with pytest.raises(CameraFault, match="feeds it with pictures"):
        Pin(str(fed) if named else "").hold(fed)


@pytest.mark.parametrize("test", [VIVID, identity("libcamera", "Sensor B", "platform/vimc.0 Sensor B")])
def test_a_test_camera_counts_only_where_it_is_pinned_in_full(test: Identity) -> None:
    with pytest.raises(CameraFault, match="test camera"):
        Pin("").hold(test)
    with pytest.raises(CameraFault, match="another camera"):
        Pin(str(HD)).hold(test)
    Pin(str(test)).hold(test)


def test_a_refused_camera_is_not_the_first_one_seen() -> None:
    pin = Pin("")
    for refused in (VIVID, identity("akvcam", "x", "platform:akvcam-0")):
        with pytest.raises(CameraFault):
            pin.hold(refused)
    pin.hold(HD)


def test_the_camera_is_told_once_to_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    pin = Pin(str(HD))
    for _ in range(3):
        pin.hold(HD)
    assert capfd.readouterr().err.count(str(HD)) == 1


def test_the_order_of_modes_is_nothing_and_a_mode_more_is_another_camera() -> None:
    modes = ["YUYV 640 x 480", "MJPG 1280 x 720"]
    assert identity("d", "m", "p", modes) == identity("d", "m", "p", modes[::-1])
    assert identity("d", "m", "p", modes) != identity("d", "m", "p", modes[:1])
    assert identity("d", "m", "p", []) != identity("d", "m", "p")


def door(pinned: str, backend: str = "picamera2") -> str:
    quoted = pinned.replace("\\", "\\\\").replace('"', '\\"')
    return f'[door]\nid = "0123456789abcdef"\n[camera]\nbackend = "{backend}"\npinned = "{quoted}"\n'


@pytest.mark.slow
@given(st.text(), st.text(), st.text(max_size=300), st.none() | st.lists(st.text(st.characters(codec="utf-8"))))
def test_whatever_a_driver_says_can_be_pinned_and_is_recognised(
    driver: str, model: str, place: str, modes: list[str] | None
) -> None:
    told = identity(driver, model, place, modes)
    assert config.parse(door(str(told))).camera.pinned == str(told)
    assert str(told).isascii()
    assert str(told).isprintable()
    assert str(told).count("|") == 3


@pytest.mark.parametrize(
    "pinned", ["uvcvideo", "a|b|c|d", "a|b|c|0123", "a||c|-", "a|b|c|-\n", "a|b\tb|c|-", "a|b|c|-|-"]
)
def test_what_is_no_pin_is_refused(pinned: str) -> None:
    with pytest.raises(ConfigRefused, match="pinned"):
        config.parse(door(pinned.replace("\n", "\\n").replace("\\\\n", "\\n")))


def test_a_door_without_a_real_camera_pins_none() -> None:
    with pytest.raises(ConfigRefused, match='backend is "none"'):
        config.parse(door(str(RIBBON), "none"))
