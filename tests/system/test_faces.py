"""A face at a whole door on a real machine: a USB camera on the kernel's driver, the shipped networks, real rooms.

A door with a real board has no face that opens alone: whoever is recognised leaves out the flat number and types the
PIN. So what a face is worth is shown by the PIN alone opening after it, and by nothing opening after somebody else's.

The machine's clock counts instructions: an emulated processor takes a second and more for a network, and on a busy
computer ten seconds of a window would pass before three pictures were looked at.
"""

from collections.abc import Iterator

import pytest

from device.edges import Room
from tests.support.vm import booted, journal, told
from tests.support.vm_door import BOLT, LAMP, OnMachine
from tests.support.vm_faces import (
    USB,
    another_view,
    enrol,
    face_and_pin_open,
    looks,
    seen_for_enrolment,
    stranger,
    views,
)
from tools.vm.camera.plugged import PluggedCamera
from tools.vm.machine import Machine

SLOT, PIN = 12, "482913"
RIGHT = f"{SLOT}#{PIN}#"


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with booted(counted=True) as made:
        yield made


@pytest.fixture(scope="module")
def camera(machine: Machine) -> Iterator[PluggedCamera]:
    with PluggedCamera(machine.camera_socket) as plugged:
        machine.agent.until(f"test -e {USB}", "the camera")
        yield plugged


@pytest.fixture(scope="module")
def door(machine: Machine, camera: PluggedCamera) -> OnMachine:
    """A resident with a PIN, and nobody with a face."""
    assert camera.frames == 0
    made = OnMachine(machine, camera="v4l2", camera_at=USB)
    made.set_up()
    made.move_in(SLOT, PIN)
    return made


@pytest.fixture(scope="module")
def enrolled(door: OnMachine, camera: PluggedCamera) -> OnMachine:
    """The same door once the resident has enrolled a face."""
    said = enrol(door, camera, SLOT, PIN)
    assert said["result"] == "done", (said, journal(door.machine, "doorward-*")[-3000:])
    return door


def records(door: OnMachine) -> list[str]:
    """The sealed faces on the disk."""
    return door.machine.agent.ask(f"find {door.state(Room.VAULT)} -name '*.rec'").split()


def test_nobody_enrolled_no_pixels(door: OnMachine, camera: PluggedCamera) -> None:
    watch = looks(door, camera, another_view())
    assert not any(change.high for change in watch.changes(LAMP))
    assert camera.frames == 0


def test_a_power_cut_in_the_middle_of_an_enrolment_leaves_no_half_face(door: OnMachine, camera: PluggedCamera) -> None:
    with seen_for_enrolment(door, camera, SLOT, PIN, views()):
        door.press(f"01#{SLOT}#")
    door.machine.reset()
    door.well()
    door.close_the_door()
    assert records(door) == []
    taken = camera.frames
    watch = looks(door, camera, another_view())
    assert not any(change.high for change in watch.changes(LAMP))
    assert camera.frames == taken, "nobody is enrolled, and the camera looked"
    door.types(RIGHT)


def test_a_face_takes_the_place_of_the_flat_number(enrolled: OnMachine, camera: PluggedCamera) -> None:
    assert len(records(enrolled)) == 1
    taken = camera.frames
    assert face_and_pin_open(enrolled, camera, another_view(), PIN)
    told(f"{camera.frames - taken} frames were taken")


def test_the_face_alone_opens_nothing(enrolled: OnMachine, camera: PluggedCamera) -> None:
    watch = looks(enrolled, camera, another_view())
    assert any(change.high for change in watch.changes(LAMP))
    assert not any(change.high for change in watch.changes(BOLT))


def test_a_stranger_who_knows_the_pin_but_no_flat_number_stays_outside(
    enrolled: OnMachine, camera: PluggedCamera
) -> None:
    taken = camera.frames
    assert not face_and_pin_open(enrolled, camera, stranger(), PIN)
    assert camera.frames > taken
    assert face_and_pin_open(enrolled, camera, another_view(), PIN)  # the same keys: it was the face


def test_a_camera_that_is_pulled_out_is_told_of_and_works_again_without_a_restart(
    enrolled: OnMachine, camera: PluggedCamera
) -> None:
    restarts = enrolled.restarts(Room.EYE)
    camera.pull_out()
    try:
        enrolled.machine.agent.until(f"test ! -e {USB}", "the end of the camera")
        assert not face_and_pin_open(enrolled, camera, another_view(), PIN)
        assert enrolled.doorctl("status").facts["camera"] == "fault"
        enrolled.types(RIGHT)
    finally:
        camera.plug_in()
    enrolled.machine.agent.until('doorctl status --json | grep -q \'"camera": "well"\'', "the camera", 300)
    assert face_and_pin_open(enrolled, camera, another_view(), PIN)
    assert enrolled.restarts(Room.EYE) == restarts
