"""Somebody simulated who turns to the light that is bright: what they see, when they turn, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from device.challenge import FULL, LOWEST, MS, REST, Lights, codes_after, kind_of
from device.errors import CameraFault
from device.eye.camera_replay import ReplayCamera
from device.eye.lamps import LIGHTS as METER
from device.eye.lamps import LightChange, packed
from device.eye.turning import NAMES, REACTS_NS, TURNING_SUFFIX, facing
from device.motion import LIGHTS, PROMPT_MS, Facing

LEFT, MIDDLE, RIGHT = Facing
BEGAN_NS = 10**12


def changes(*lights: tuple[int, Lights]) -> list[LightChange]:
    """Lights from so many milliseconds after the beginning on."""
    return [LightChange(BEGAN_NS + ms * MS, each.left, each.right) for ms, each in lights]


@pytest.mark.parametrize("where", Facing)
def test_they_turn_to_the_light_that_has_burnt_for_long_enough_and_not_before(where: Facing) -> None:
    before = LEFT if where is RIGHT else RIGHT
    seen = changes((0, LIGHTS[before]), (PROMPT_MS, LIGHTS[where]))
    turned_ns = BEGAN_NS + PROMPT_MS * MS + REACTS_NS
    assert facing(seen, BEGAN_NS + REACTS_NS - 1) is MIDDLE
    assert facing(seen, BEGAN_NS + REACTS_NS) is before
    assert facing(seen, turned_ns - 1) is before
    assert facing(seen, turned_ns) is where


def test_no_light_challenge_turns_anybody() -> None:
    for code in codes_after(kind_of(REST))[::7]:
        drawn = zip(code.offsets_ms, code.lights, strict=True)
        seen = changes((-2000, REST), *drawn, (code.length_ms + 300, REST))
        looks = {facing(seen, BEGAN_NS + ms * MS) for ms in range(0, code.length_ms + 2000, 20)}
        assert looks == {MIDDLE}


@pytest.mark.parametrize("lights", [Lights(0, 0), REST, Lights(FULL, FULL), Lights(2, LOWEST)], ids=str)
def test_what_asks_for_nothing_turns_nobody(lights: Lights) -> None:
    assert facing(changes((0, lights)), BEGAN_NS + 9 * REACTS_NS) is MIDDLE
    assert facing([], BEGAN_NS) is MIDDLE


def person(folder: Path, *, whole: bool = True) -> Path:
    """Somebody who is darker the more they look to their right."""
    source = folder / f"someone{TURNING_SUFFIX}"
    source.mkdir()
    for where, name in list(NAMES.items())[: 3 if whole else 2]:
        plane = np.full((48, 64, 3), 60000 >> (3 * where), np.uint16)
        np.savez(source / name, ambient=plane, left=0 * plane, right=0 * plane)
    return source


def test_the_simulated_camera_shows_them_as_the_lights_before_it_ask(tmp_path: Path) -> None:
    now = [BEGAN_NS]

    def sleep(seconds: float) -> None:
        now[0] += round(seconds * 1e9)

    camera = ReplayCamera(person(tmp_path), 64, 48, 30.0, clock_ns=lambda: now[0], sleep=sleep)
    camera.open()
    told = changes((0, LIGHTS[LEFT]), (PROMPT_MS, LIGHTS[RIGHT]))
    (tmp_path / METER).write_bytes(packed(told, len(told)))
    seen = {}
    for ms in (100, 1200, 1600, 2800):
        now[0] = BEGAN_NS + ms * MS
        seen[ms] = float(camera.read(now[0]).main.mean())
    assert seen[1200] == pytest.approx(seen[1600], abs=2), "not turned yet"
    assert seen[1200] > seen[100] + 20 > seen[2800] + 40


def test_somebody_who_cannot_turn_to_all_places_is_a_fault_of_the_camera(tmp_path: Path) -> None:
    camera = ReplayCamera(person(tmp_path, whole=False), 64, 48)
    camera.open()
    with pytest.raises(CameraFault, match="nobody can turn"):
        camera.read(0)
