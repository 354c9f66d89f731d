"""eye as a real process, with the test as lock and vault, and the meter as the witness."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from device import wire
from device.edges import Room
from device.eye.scene import METER, read_meter
from device.eye.series import STILL
from device.wire import CameraCondition, Hint, LookMode
from tests.support.room_process import Peer, RoomProcess, room_process, short_root, write_config
from tools.samples import sample

IDLE, STREAMING, FAULT = CameraCondition.IDLE, CameraCondition.STREAMING, CameraCondition.FAULT


@dataclass
class Door:
    """The running eye, its two neighbours, and what stands in front of it."""

    process: RoomProcess
    lock: Peer
    vault: Peer
    scene: Path

    def show(self, source: str | None, scale: float = 1.0) -> None:
        show(self.scene, source, scale)

    def meter(self) -> tuple[bool, int]:
        reading = read_meter(self.scene.parent / METER)
        return reading.is_open, reading.frames

    def state(self) -> CameraCondition:
        msg = self.lock.receive()
        assert isinstance(msg, wire.CameraState)
        return msg.condition


def show(scene: Path, source: str | None, scale: float = 1.0) -> None:
    part = scene.with_suffix(".part")
    part.write_text(json.dumps({"source": source, "fps": 30, "scale": scale}))
    part.replace(scene)


@pytest.fixture
def door() -> Iterator[Door]:
    with short_root() as root:
        scene = root / "scene.json"
        show(scene, None)
        write_config(root, f'[camera]\nbackend = "replay"\nreplay = "{scene}"\n')
        with room_process(Room.EYE, root) as process:
            yield Door(process, process.connect(Room.LOCK), process.accept(Room.VAULT), scene)


def views_of(picture: Path, folder: Path) -> Path:
    """Somebody who stands as still as they can: five pictures, each turned and scaled by a little."""
    folder.mkdir()
    with Image.open(picture) as opened:
        plain = opened.convert("RGB")
    for number, degrees in enumerate((0, 2, -2, 1, -1)):
        turned = plain.rotate(degrees, Image.Resampling.BILINEAR, translate=(2 * number, -number))
        turned.save(folder / f"{number}.png")
    return folder


def nonce(number: int) -> bytes:
    return bytes([number]) * 16


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_press_becomes_a_probe_and_nothing_is_read_before_or_after(door: Door) -> None:
    assert door.state() is IDLE
    door.show(str(sample("obama.jpg")))
    assert door.meter() == (False, 0)
    embeddings, frames = [], []
    for number, name in ((1, "obama.jpg"), (2, "obama2.jpg"), (3, "astronaut.png")):
        door.show(str(sample(name)))
        asked_ns = time.monotonic_ns()
        door.lock.send(wire.Look(nonce(number), LookMode.RECOGNISE))
        probe = door.vault.receive()
        assert isinstance(probe, wire.Probe)
        assert probe.nonce == nonce(number)
        frames.append(probe.frames)
        assert probe.frame_ns > asked_ns
        embeddings.append(np.frombuffer(probe.embedding, "<f4"))
    opened, read = door.meter()
    # Three frames a probe; on a machine that is busy elsewhere eye sends what it has when its time is over.
    assert set(frames) <= {1, 2, 3}
    assert (opened, read) == (True, 9) or (opened and min(frames) < 3 and read >= sum(frames))
    assert door.state() is STREAMING
    door.lock.send(wire.Close())
    assert door.state() is IDLE
    assert door.meter() == (False, read)
    assert float(embeddings[0] @ embeddings[1]) > 0.5
    assert float(embeddings[0] @ embeddings[2]) < 0.363


def test_enrolment_and_hints_reach_vault(door: Door) -> None:
    door.state()
    door.lock.send(wire.Look(nonce(1), LookMode.ENROL))
    hint = door.vault.receive()
    assert hint == wire.Guidance(nonce(1), Hint.NOBODY)
    door.show(str(views_of(sample("astronaut.png"), door.scene.parent / "views")))
    samples: list[wire.Sample] = []
    while len(samples) < 5:
        msg = door.vault.receive()
        if isinstance(msg, wire.Sample):
            samples.append(msg)
    assert [sample_.index for sample_ in samples] == [0, 1, 2, 3, 4]
    faces = [np.frombuffer(sample_.embedding, "<f4") for sample_ in samples]
    assert all(float(a @ b) <= STILL for a, b in pairwise(faces)), "no picture counts twice"


def test_enrolment_from_a_frozen_picture_ends_with_one_sample(door: Door) -> None:
    door.state()
    door.show(str(sample("astronaut.png")))
    door.lock.send(wire.Look(nonce(1), LookMode.ENROL))
    heard = [door.vault.receive() for _ in range(3)]  # the pace of hints makes these more than two seconds
    assert [type(msg) for msg in heard] == [wire.Sample, wire.Guidance, wire.Guidance]
    assert heard[1:] == [wire.Guidance(nonce(1), Hint.TURN_A_LITTLE)] * 2
    door.lock.send(wire.Close())


def test_a_bad_picture_is_a_fault_and_the_next_one_is_seen(door: Door) -> None:
    assert door.state() is IDLE
    (door.scene.parent / "bad.jpg").write_bytes(b"no picture")
    door.show("bad.jpg")
    door.lock.send(wire.Look(nonce(1), LookMode.RECOGNISE))
    assert [door.state(), door.state()] == [STREAMING, FAULT]
    assert "no picture" in door.process.stderr
    door.lock.send(wire.Close())
    assert door.state() is IDLE
    door.show(str(sample("obama.jpg")))
    door.lock.send(wire.Look(nonce(2), LookMode.RECOGNISE))
    assert isinstance(door.vault.receive(), wire.Probe)


@pytest.mark.parametrize("who", ["lock", "vault"])
def test_a_neighbour_that_goes_takes_the_window_along(door: Door, who: str) -> None:
    door.state()
    door.lock.send(wire.Look(nonce(1), LookMode.RECOGNISE))
    door.vault.receive()
    assert door.meter()[0]
    (door.lock if who == "lock" else door.vault).close()
    ends = time.monotonic() + 5
    while door.meter()[0] and time.monotonic() < ends:
        time.sleep(0.01)
    opened, read = door.meter()
    assert not opened
    assert door.process.process is not None
    assert door.process.process.poll() is None
    assert door.meter() == (False, read)


def test_an_idle_eye_uses_no_processor_and_no_camera(door: Door) -> None:
    door.state()
    before = cpu_s(door.process.pid)
    assert door.process.notifications(1.0) == []  # a second in which nobody presses
    assert cpu_s(door.process.pid) - before <= 0.02
    assert door.meter() == (False, 0)


def test_sigterm_closes_the_camera(door: Door) -> None:
    door.state()
    door.lock.send(wire.Look(nonce(1), LookMode.RECOGNISE))
    door.vault.receive()
    assert door.process.stop() == 0
    assert not door.meter()[0]


def test_a_plane_of_another_shape_stops_the_start_with_a_sentence() -> None:
    with short_root() as root:
        write_config(root, '[camera]\nbackend = "replay"\nreplay = "nowhere"\nwidth_px = 1280\nheight_px = 720\n')
        with room_process(Room.EYE, root, wait=False) as process:
            assert process.wait() == 78
            assert "4:3" in process.stderr
