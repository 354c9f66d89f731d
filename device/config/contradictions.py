"""What settings may not say together, each of them good by itself.

Rules kept here:
- A contradiction stops the start with one sentence that names the settings; none of them is chosen over another.
- Where a face alone opens a real door there are lights and a pinned camera.
- A line has one owner, and is named in the way its board names lines.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re

from device.config.tables import GPIO, CameraTable, Config, LockTable, PageTable
from device.errors import ConfigRefused


def refuse_contradictions(config: Config) -> None:
    """Raises ConfigRefused, with one sentence, if two settings of `config` cannot both be meant."""
    _refuse_lines(config.lock)
    _refuse_face_alone(config.lock, config.camera)
    _refuse_page(config.page)
    if config.eye.min_eye_distance_px >= config.eye.max_eye_distance_px:
        msg = "[eye] min_eye_distance_px must be below max_eye_distance_px"
        raise ConfigRefused(msg)
    _refuse_camera(config.camera)


def _refuse_lines(lock: LockTable) -> None:
    named_pins = {f.name: getattr(lock, f.name) for f in dataclasses.fields(lock)}
    named_pins = {name: pin for name, pin in named_pins.items() if name.endswith("_pin") and pin}
    pins = list(named_pins.values())
    for name, pin in named_pins.items():
        if lock.board != "gpiod" and not re.fullmatch(GPIO, pin):
            msg = f'[lock] {name} must be a pin such as "GPIO17"; other lines need board "gpiod"'
            raise ConfigRefused(msg)
    if any(lock.light_pins) and not lock.lights:
        msg = "[lock] names some of the four lines of the two lights; name all four (..._light_..._pin) or none"
        raise ConfigRefused(msg)
    if lock.keypad_id and not lock.keypad:
        msg = "[lock] keypad_id pins a keypad, but [lock] keypad names none"
        raise ConfigRefused(msg)
    taken = sorted({pin for pin in pins if pins.count(pin) > 1})
    if taken:
        msg = f"[lock] uses {', '.join(taken)} for two things; one line has one owner"
        raise ConfigRefused(msg)


def _refuse_face_alone(lock: LockTable, camera: CameraTable) -> None:
    if lock.tier != "face" or lock.board == "sim":
        return
    if not lock.lights:
        msg = (
            '[lock] tier "face" needs the two white lights (..._light_..._pin), or a photograph would open this door; '
            'fit them, or say "face+pin"'
        )
        raise ConfigRefused(msg)
    if not camera.pinned:
        msg = (
            '[lock] tier "face" needs a camera that is pinned, which `doorctl setup` does, or any other one would count'
        )
        raise ConfigRefused(msg)


def _refuse_page(page: PageTable) -> None:
    if not page.served and page != PageTable():
        msg = "[page] needs a port, such as 8443, or the resident's page is not served at all"
        raise ConfigRefused(msg)
    for key, host in (("address", page.address), ("name", page.name)):
        try:
            if host and (key == "address" or ":" in host or host.replace(".", "").isdigit()):
                ipaddress.ip_address(host)
        except ValueError as cause:
            msg = f"[page] {key} {host} is no IP address"
            raise ConfigRefused(msg) from cause


def _refuse_camera(camera: CameraTable) -> None:
    if camera.backend == "replay" and not camera.replay:
        msg = '[camera] replay must name a picture or a folder when backend is "replay"'
        raise ConfigRefused(msg)
    if camera.pinned and camera.backend not in ("picamera2", "v4l2"):
        msg = f'[camera] pinned pins a camera, but backend is "{camera.backend}"'
        raise ConfigRefused(msg)
    if camera.backend == "v4l2" and not camera.device:
        msg = '[camera] device must name the USB camera when backend is "v4l2": see `ls /dev/v4l/by-path`'
        raise ConfigRefused(msg)
