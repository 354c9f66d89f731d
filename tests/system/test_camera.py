"""Real cameras' promises on a real kernel: the door's package reads a USB camera by V4L2 and through picamera2.

The contract of tests/contract/camera, as far as somebody outside a camera can hold it: age, both planes, colours,
bounded waits, a camera that is pulled out, and a stream that is started and stopped again and again without a leak. The
camera is `tools.vm.camera`, and the kernel's own test camera (vivid) for what takes thousands of frames.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.vm_resident import with_a_resident
from tools.vm.camera.plugged import PluggedCamera
from tools.vm.machine import Machine

USB = "/dev/v4l/by-path/pci-0000:00:05.0-usb-0:2:1.0-video-index0"
VIVID = "/dev/v4l/by-path/platform-vivid.0-video-index0"
ORANGE_RGB = (230, 120, 20)
LATE_S = 15.0  # how late an emulated processor that others use may come back, by its own clock
PYTHON = "/usr/lib/doorward/bin/python -I -B"
HERE = """
import dataclasses, json, os, sys, time
from device.config.tables import CameraTable
from device.errors import CameraFault
from device.eye.camera import make
backend, path = {backend!r}, {path!r}
table = CameraTable(backend=backend, device=path, fps=10.0, frame_timeout_ms=5000)
table = dataclasses.replace(table, pinned=str(make(table).identity()))  # as set-up pins it
camera = make(table)
def say(**told):
    print(json.dumps(told), flush=True)
def end():
    os._exit(0)  # libcamera's threads do not always let a process end
"""
LOOK = """
camera.probe()
camera.open()
frames = []
for number in range(6):
    asked_ns = time.monotonic_ns()
    frame = camera.read(asked_ns)
    camera.steady(held=number % 2 == 0)
    frames.append([frame.time_ns - asked_ns, (time.monotonic_ns() - frame.time_ns) / 1e9])
main, low = frame.main, frame.low
began = time.monotonic()
try:
    camera.read(time.monotonic_ns() + 3600 * 10**9)
    late = "came"
except CameraFault as fault:
    late = str(fault)
took_s = time.monotonic() - began
camera.close()
say(frames=frames, main=main[240, 320].tolist(), low=low[0, 0].tolist(), shapes=[main.shape, low.shape],
    late=late, took_s=took_s, pinned=table.pinned)
end()
"""
SWAPPED = """
def fault(pinned):
    try:
        make(dataclasses.replace(table, pinned=pinned)).probe()
    except CameraFault as fault:
        return str(fault)
camera.probe()
say(pinned=table.pinned, unpinned=fault(""), other=fault(table.pinned.replace("|vivid|", "|HD Camera|")))
end()
"""
AGAIN = """
def held():
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    mapped = sum("/dev/video" in line or "dmabuf" in line for line in open("/proc/self/maps"))
    return len(os.listdir("/proc/self/fd")), mapped, int(status["Threads"]), int(status["RssAnon"].split()[0])
after = []
for number in range(1, {rounds} + 1):
    camera.open()
    if number % {every} == 0:
        camera.read(time.monotonic_ns())
    camera.close()
    if number in ({settled}, {rounds}):
        after.append(held())
say(after=after)
end()
"""
GONE = """
camera.open()
camera.read(time.monotonic_ns())
say(streaming=True)
try:
    while True:
        camera.read(time.monotonic_ns())
except CameraFault as fault:
    say(fault=str(fault), files=len([f for f in os.listdir("/proc/self/fd")]))
camera.close()
ends = time.monotonic() + 300
while True:
    try:
        camera.open()
        break
    except CameraFault as fault:
        assert time.monotonic() < ends, fault
        time.sleep(0.2)
camera.read(time.monotonic_ns())
camera.close()
say(back=True)
end()
"""

WEDGED = """
from device.eye.leash import Leash
leash = Leash()
camera.open()
camera.read(time.monotonic_ns())
say(streaming=True)
try:
    while True:
        camera.read(time.monotonic_ns())
except CameraFault as fault:
    say(fault=str(fault))
with leash.hold(5):
    camera.close()
end()
"""


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """A door's, whose own settings name no camera: nobody else has one of these open."""
    with with_a_resident() as door:
        yield door.machine


@pytest.fixture(scope="module")
def orange(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("picture") / "orange.png"
    Image.new("RGB", (640, 480), ORANGE_RGB).save(path)
    return path


def told(machine: Machine, script: str, *, backend: str, path: str = "", limit_s: float = 600) -> dict[str, Any]:
    """What `script` said last, run by the installed door's own interpreter."""
    code = HERE.format(backend=backend, path=path) + script
    lines = machine.agent.ask(f"{PYTHON} - 2>/run/said", data=code.encode(), limit_s=limit_s).splitlines()
    said: dict[str, Any] = json.loads(lines[-1])
    return said


def in_background(machine: Machine, name: str, code: str) -> None:
    """Run it beside the test; what it says is in /run/NAME.said, and `ended` with its exit code at last."""
    machine.agent.put(f"/run/{name}.py", code.encode())
    program = f"{PYTHON} /run/{name}.py >/run/{name}.said; echo ended $? >>/run/{name}.said"
    machine.agent.ask(f"systemd-run -q --collect --unit={name} sh -c '{program}'")


@pytest.mark.parametrize(("backend", "path"), [("v4l2", USB), ("picamera2", "")])
def test_a_usb_camera_keeps_the_promises_of_the_port(machine: Machine, orange: Path, backend: str, path: str) -> None:
    with PluggedCamera(machine.camera_socket) as camera:
        camera.show(orange)
        machine.agent.until(f"test -e {USB}", "the camera")
        said = told(machine, LOOK, backend=backend, path=path)
    assert said["pinned"].startswith("uvcvideo|" if backend == "v4l2" else "libcamera|")
    assert said["shapes"] == [[480, 640, 3], [240, 320, 3]]
    assert said["main"] == pytest.approx(ORANGE_RGB[::-1], abs=4), "blue, green, red"
    assert said["low"] == pytest.approx(ORANGE_RGB[::-1], abs=4)
    assert all(begun_after_ns >= 0 and age_s < LATE_S for begun_after_ns, age_s in said["frames"])
    assert said["late"] == "the camera gave no frame within 5000 ms"
    assert said["took_s"] < 5 + LATE_S


def test_the_kernels_test_camera_counts_only_where_it_is_pinned_in_full(machine: Machine) -> None:
    machine.agent.ask("modprobe vivid n_devs=1 node_types=0x1")
    machine.agent.until(f"test -e {VIVID}", "the kernel's test camera")
    said = told(machine, SWAPPED, backend="v4l2", path=VIVID)
    assert said["pinned"].startswith("vivid|vivid|platform:vivid-000|")
    assert "test camera of the kernel" in said["unpinned"]
    assert "another camera is there" in said["other"]


def test_a_stream_is_started_and_stopped_a_thousand_times_without_a_leak(machine: Machine) -> None:
    machine.agent.ask("modprobe vivid n_devs=1 node_types=0x1")
    machine.agent.until(f"test -e {VIVID}", "the kernel's test camera")
    script = AGAIN.format(rounds=1000, settled=100, every=20)
    before, after = told(machine, script, backend="v4l2", path=VIVID, limit_s=1200)["after"]
    assert after[:3] == before[:3], "descriptors, mapped buffers, threads"
    # Its own memory: pages of libraries come and go with what the kernel maps around a fault, and are nobody's leak.
    assert after[3] - before[3] < 1024, f"kilobytes of memory: {before[3]}, then {after[3]}"


@pytest.mark.parametrize(("backend", "path"), [("v4l2", USB), ("picamera2", "")])
def test_a_usb_camera_is_started_and_stopped_without_a_leak(
    machine: Machine, orange: Path, backend: str, path: str
) -> None:
    with PluggedCamera(machine.camera_socket) as camera:
        camera.show(orange)
        machine.agent.until(f"test -e {USB}", "the camera")
        script = AGAIN.format(rounds=30, settled=10, every=1)
        before, after = told(machine, script, backend=backend, path=path, limit_s=600)["after"]
    assert after[:3] == before[:3]
    assert after[3] - before[3] < 4096


def test_a_usb_camera_that_is_pulled_out_is_a_fault_and_the_same_process_sees_it_again(
    machine: Machine, orange: Path
) -> None:
    agent = machine.agent
    code = HERE.format(backend="v4l2", path=USB) + GONE
    with PluggedCamera(machine.camera_socket) as camera:
        camera.show(orange)
        agent.until(f"test -e {USB}", "the camera")
        in_background(machine, "gone", code)
        agent.until("grep -q streaming /run/gone.said", "a stream")
    agent.until("grep -q fault /run/gone.said", "the fault")
    with PluggedCamera(machine.camera_socket) as camera:
        camera.show(orange)
        agent.until("grep -q back /run/gone.said", "the camera again")
    said = [json.loads(line) for line in agent.ask("cat /run/gone.said").splitlines() if line.startswith("{")]
    assert "pulled out" in said[1]["fault"]


def test_libcamera_without_its_camera_ends_in_a_fault_and_the_process_within_bounds(
    machine: Machine, orange: Path
) -> None:
    """Whether `stop` comes back depends on where libcamera stood; with the leash it makes no difference."""
    agent = machine.agent
    with PluggedCamera(machine.camera_socket) as camera:
        camera.show(orange)
        agent.until(f"test -e {USB}", "the camera")
        in_background(machine, "wedged", HERE.format(backend="picamera2", path="") + WEDGED)
        agent.until("grep -q streaming /run/wedged.said", "a stream")
    agent.until("grep -q ended /run/wedged.said", "the end of the process")
    assert '"fault"' in agent.ask("cat /run/wedged.said")
