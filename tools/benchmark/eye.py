"""eye: from frames to a packed Probe, against the bare networks on the same frames.

Rules kept here:
- What is timed is eye's own loop (`device.eye.loop.EyeWork`) from its first turn after a Look to the bytes of the
  Probe: leash, detector, choice, quality, alignment, embedder, averaging, packing. Only the camera is taken out: its
  frames were shown by ReplayCamera before, and are handed over at once.
- The bare time is `invoke()` of the same interpreters, as often and in the same order, with the last frame's input
  still in place.
- Loop and networks take turns frame by frame, and take turns at going first.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from device import wire
from device.config.tables import Config, DoorTable, EyeTable
from device.edges import Room, edges_into
from device.eye.camera import Frame
from device.eye.camera_replay import ReplayCamera
from device.eye.loop import EyeWork
from device.eye.runtime import Runtime, installed
from device.eye.sight import Sight
from device.link import Link
from device.paths import models_dir
from tools.benchmark.figures import Figure, NotMeasured, Plan, Rows, Section, Spread
from tools.portraits import portrait
from tools.samples import SampleMissingError
from tools.simulator import scene

LIMIT = 1.25
GOAL = 1.10  # what the owners wish for; LIMIT is what no release may miss
PORTRAITS = ("obama.jpg", "obama2.jpg", "biden.jpg", "astronaut.png")
SCALES = (1.0, 0.8, 0.6, 0.45)
FEW_ROUNDS = 3  # of the runtime that takes ten times as long here
SLOW_FRAME_S = 0.05


@dataclass(slots=True)
class _Prepared:
    """The camera port over a frame that was read before; its time is always fresh."""

    frame: Frame
    restart_heals = False

    def probe(self) -> None:
        """There is one."""

    def open(self) -> None:
        """It is open."""

    def close(self) -> None:
        """Nothing to close."""

    def steady(self, *, held: bool) -> None:
        """There is nothing to hold: it is one picture."""

    def read(self, not_before_ns: int) -> Frame:
        """The frame, as if exposed now."""
        return Frame(self.frame.main, self.frame.low, max(not_before_ns, time.monotonic_ns()))


@dataclass(slots=True)
class _Outlet:
    """Packs what eye says, as its links do, and keeps the last Probe."""

    link_to_vault: Link
    probe: bytes = b""

    def send(self, peer: Room, msg: wire.Message) -> bool:
        """Into bytes."""
        packed = wire.pack(msg)
        if isinstance(msg, wire.Probe):
            self.probe = packed
        return True

    def link(self, peer: Room) -> Link | None:
        """The vault is always there."""
        return self.link_to_vault


@dataclass(frozen=True, slots=True)
class Round:
    """Medians over the frames: loop over networks, and the milliseconds a frame of both.

    The ratio is taken frame by frame, so that whoever interrupts one of them spoils that one only.
    """

    ratio: float
    whole_ms: float
    bare_ms: float


@dataclass(slots=True)
class Bench:
    """One runtime: eye's loop and its networks."""

    work: EyeWork
    sight: Sight
    camera: _Prepared
    outlet: _Outlet
    frames: int
    _lock: Link = field(init=False)

    def __post_init__(self) -> None:
        self._lock = self.outlet.link_to_vault

    @classmethod
    def of(cls, runtime: Runtime, first: Frame) -> Bench:
        """Everything as `device.eye.__main__` builds it, but for the camera and the sockets."""
        config = Config(DoorTable(id="0" * 16), eye=EyeTable(runtime=str(runtime)))
        sight, camera = Sight.load(config.eye, models_dir()), _Prepared(first)
        edge = edges_into(Room.EYE)[0]
        outlet = _Outlet(Link(Room.LOCK, edge, None, Room.EYE))  # type: ignore[arg-type] # nothing goes through it
        return cls(EyeWork(outlet, camera, sight, config), sight, camera, outlet, config.eye.frames)

    def to_probe_s(self, frame: Frame) -> float | None:
        """Seconds from a Look's first frame to the bytes of the Probe, per frame; None if there was no Probe."""
        self.camera.frame, self.outlet.probe = frame, b""
        self.work.received(self._lock, wire.Look(os.urandom(wire.NONCE_BYTES), wire.LookMode.RECOGNISE))
        began = time.perf_counter()
        for _ in range(self.frames):
            self.work.tick()
        took = time.perf_counter() - began
        made = bool(self.outlet.probe)
        self.work.received(self._lock, wire.Close())
        return took / self.frames if made else None

    def bare_s(self, frame: Frame) -> float:
        """Seconds that the networks take by themselves, per frame."""
        self.sight.look(frame)  # feeds them, after `Close` has overwritten their inputs
        detector, embedder = self.sight.networks
        began = time.perf_counter()
        for _ in range(self.frames):
            detector.invoke_only()
            embedder.invoke_only()
        return (time.perf_counter() - began) / self.frames

    def round_ms(self, frames: list[Frame], *, bare_first: bool) -> Round:
        """One round over all `frames`."""
        pairs = []
        for frame in frames:
            first = self.bare_s(frame) if bare_first else 0.0
            took = self.to_probe_s(frame)
            if took is None:
                msg = "a frame that gave a Probe before gave none now"
                raise NotMeasured(msg)
            pairs.append((took * 1e3, (first if bare_first else self.bare_s(frame)) * 1e3))
        ratio = statistics.median(whole / bare for whole, bare in pairs)
        return Round(ratio, *(statistics.median(times) for times in zip(*pairs, strict=True)))


def shown() -> list[Frame]:
    """The portraits at each scale, as the replay camera shows them."""
    with tempfile.TemporaryDirectory() as folder:
        file, seen = Path(folder) / "scene.json", []
        for name in PORTRAITS:
            try:
                picture = portrait(name)
            except SampleMissingError as cause:
                raise NotMeasured(str(cause)) from cause
            for scale in SCALES:
                scene.write(scene.Standing(picture, 60.0, scale), file)
                camera = ReplayCamera(file)
                camera.open()
                seen.append(camera.read(0))
                camera.close()
        return seen


def measure(plan: Plan, tell: Callable[[str], None]) -> Section:
    """From frame to Probe over the networks, for each runtime that is installed. Raises NotMeasured."""
    all_frames = shown()
    figures: list[Figure] = []
    rows: list[tuple[str, ...]] = []
    usable: list[Frame] = []
    for runtime in sorted(installed()):
        tell(f"eye with {runtime}")
        bench = Bench.of(runtime, all_frames[0])
        # All runtimes come to the same decisions, so the first one's choice of pictures holds for all.
        usable = usable or [frame for frame in all_frames if bench.to_probe_s(frame) is not None]
        if not usable:
            msg = "no sample portrait gave a Probe"
            raise NotMeasured(msg)
        slow = bench.bare_s(usable[0]) > SLOW_FRAME_S
        frames = usable[:: max(1, len(usable) // (2 if plan.quick else 4))] if slow else usable
        rounds = min(plan.rounds, FEW_ROUNDS) if slow else plan.rounds * (1 if plan.quick else 2)
        done = [bench.round_ms(frames, bare_first=number % 2 == 1) for number in range(rounds)]
        ratio = Spread.of([one.ratio for one in done])
        figures.append(Figure(f"{runtime}: frame to Probe / bare invoke()", ratio, limit=LIMIT))
        figures.append(Figure(f"{runtime}: the same, against the goal", ratio, limit=GOAL))
        times = (_ms([one.whole_ms for one in done]), _ms([one.bare_ms for one in done]))
        rows.append((str(runtime), f"{len(frames)} of {len(all_frames)}", *times))
    notes = (
        f"Per frame, {bench.frames} frames a Probe; detector and embedder, one thread.",
        "Pictures without a Probe at their scale (too far away) are left out. The camera's own time is not in it.",
    )
    table = Rows("milliseconds a frame, median (min to max)", ("runtime", "pictures", "loop", "bare"), tuple(rows))
    return Section("eye: frame to Probe", tuple(figures), notes, (table,))


def _ms(values: list[float]) -> str:
    spread = Spread.of(values)
    return f"{spread.median:.2f} ({spread.low:.2f} to {spread.high:.2f})"
