"""What the simulated camera learns of the lights: means over an exposure, and nothing from a file that is torn."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import CameraFault
from device.eye.lamps import FULL, KEPT, LIGHTS, SIZE, Lamps, LightChange, packed

MS = 1_000_000
levels = st.integers(0, FULL)
histories = st.lists(st.tuples(st.integers(1, 1000), levels, levels), max_size=KEPT).map(
    lambda steps: [
        LightChange(sum(ms for ms, _, _ in steps[: at + 1]) * MS, left, right)
        for at, (_, left, right) in enumerate(steps)
    ]
)


def meter(folder: Path, *changes: LightChange, made: int | None = None) -> Lamps:
    path = folder / LIGHTS
    path.write_bytes(packed(changes, len(changes) if made is None else made))
    return Lamps(path, lambda _seconds: None)


def test_where_nobody_drives_lights_they_are_off(tmp_path: Path) -> None:
    assert Lamps(tmp_path / LIGHTS, lambda _: None).mean(0, MS) == (0, 0)
    assert meter(tmp_path).mean(0, MS) == (0, 0)


def test_a_light_that_changes_during_an_exposure_counts_for_its_share(tmp_path: Path) -> None:
    seen = meter(tmp_path, LightChange(100 * MS, 1, 1), LightChange(200 * MS, 3, 1), LightChange(300 * MS, 0, 0))
    assert seen.mean(0, 50 * MS) == (0, 0)
    assert seen.mean(120 * MS, 140 * MS) == (1, 1)
    assert seen.mean(190 * MS, 210 * MS) == (2, 1)
    assert seen.mean(195 * MS, 205 * MS + 15 * MS) == pytest.approx((1 * 0.2 + 3 * 0.8, 1))
    assert seen.mean(90 * MS, 110 * MS) == (0.5, 0.5)
    assert seen.mean(400 * MS, 410 * MS) == (0, 0)
    assert seen.mean(100 * MS, 400 * MS) == pytest.approx((4 / 3, 2 / 3))


@given(histories, st.integers(0, 12_000), st.integers(1, 400))
def test_the_mean_is_that_of_every_millisecond(history: list[LightChange], begin_ms: int, lasts_ms: int) -> None:
    def at(ms: int) -> tuple[int, int]:
        burning = [each for each in history if each.at_ns <= ms * MS]
        return (burning[-1].left, burning[-1].right) if burning else (0, 0)

    each = [at(ms) for ms in range(begin_ms, begin_ms + lasts_ms)]
    wanted = tuple(sum(level[side] for level in each) / lasts_ms for side in (0, 1))
    seen = Lamps(Path("never read"), lambda _: None)
    seen._read = lambda: (history, True)  # type: ignore[method-assign]  # a cable without a file
    assert seen.mean(begin_ms * MS, (begin_ms + lasts_ms) * MS) == pytest.approx(wanted)


def test_the_last_changes_are_kept_and_a_moment_before_all_of_them_is_a_fault(tmp_path: Path) -> None:
    changes = [LightChange(at * 100 * MS, at % 4, 0) for at in range(1, 40)]
    seen = meter(tmp_path, *changes)
    assert (tmp_path / LIGHTS).stat().st_size == SIZE
    oldest = changes[-KEPT]
    assert seen.mean(oldest.at_ns, oldest.at_ns + MS) == (oldest.left, 0)
    with pytest.raises(CameraFault, match="too often"):
        seen.mean(oldest.at_ns - MS, oldest.at_ns)
    # With no change lost, the time before the first is one without light.
    assert meter(tmp_path, *changes[:KEPT]).mean(0, MS) == (0, 0)


@pytest.mark.parametrize("size", [0, 1, SIZE - 1, SIZE + 1])
def test_a_file_of_another_size_is_a_fault(tmp_path: Path, size: int) -> None:
    (tmp_path / LIGHTS).write_bytes(bytes(size))
    with pytest.raises(CameraFault, match=LIGHTS):
        Lamps(tmp_path / LIGHTS, lambda _: None).mean(0, MS)


@given(st.integers(0, SIZE - 1), st.integers(0, 7))
def test_no_bit_of_it_can_be_wrong_and_believed(tmp_path_factory: pytest.TempPathFactory, at: int, bit: int) -> None:
    path = tmp_path_factory.getbasetemp() / LIGHTS
    torn = bytearray(packed([LightChange(MS, 1, 2), LightChange(2 * MS, 3, 0)], 2))
    torn[at] ^= 1 << bit
    path.write_bytes(torn)
    with pytest.raises(CameraFault):
        Lamps(path, lambda _: None).mean(0, MS)


def test_a_file_that_is_being_written_is_read_again(tmp_path: Path) -> None:
    whole = packed([LightChange(MS, 3, 3)], 1)
    path = tmp_path / LIGHTS
    path.write_bytes(packed((), 0)[: SIZE // 2] + whole[SIZE // 2 :])
    paused: list[float] = []

    def written_meanwhile(seconds: float) -> None:
        paused.append(seconds)
        path.write_bytes(whole)

    assert Lamps(path, written_meanwhile).mean(2 * MS, 3 * MS) == (3, 3)
    assert len(paused) == 1


def test_fault_a_sum_that_nobody_checks_lets_a_torn_file_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = packed([LightChange(MS, 3, 3)], 1)
    path = tmp_path / LIGHTS
    path.write_bytes(packed((), 0)[: SIZE // 2] + whole[SIZE // 2 :])
    monkeypatch.setattr(zlib, "crc32", lambda _data: int.from_bytes(path.read_bytes()[:4], "little"))
    assert Lamps(path, lambda _: None).mean(2 * MS, 3 * MS) == (0, 0)


@pytest.mark.parametrize(
    "changes",
    [[LightChange(2, 1, 1), LightChange(1, 2, 2)], [LightChange(1, 4, 0)], [LightChange(1, 0, 255)]],
    ids=["back in time", "too bright left", "too bright right"],
)
def test_changes_that_cannot_have_been_are_a_fault(tmp_path: Path, changes: list[LightChange]) -> None:
    with pytest.raises(CameraFault, match="cannot have been"):
        meter(tmp_path, *changes).mean(0, MS)


def test_a_meter_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / LIGHTS).mkdir()
    with pytest.raises(CameraFault, match="cannot be read"):
        Lamps(tmp_path / LIGHTS, lambda _: None).mean(0, MS)
