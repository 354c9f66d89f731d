"""Pictures held up before the simulated camera: rendered once, kept whole, and rendered anew when anything changed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from device.errors import PictureRefused
from device.eye.basis import read_basis
from device.eye.turning import NAMES, TURNING_SUFFIX
from device.motion import Facing
from device.paths import Paths
from tools.attack_lab import hold_up
from tools.attack_lab import turning as turning_of
from tools.attack_lab.basis import Basis
from tools.attack_lab.turning import Turns
from tools.simulator import client, held_up
from tools.simulator.client import LIT_FPS, PLAIN_FPS, Door, SimulatorRefused
from tools.simulator.held_up import SHELF, As, Held, answers_to_light, rendered
from tools.simulator.layout import Wishes, make

HELD = Held(As.PRINT, 320, 240, 1.0)


@pytest.fixture
def rendering(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Rendering without a network: each kind and distance is a grey of its own. What was rendered is kept."""
    done: list[tuple[str, ...]] = []

    def grey(picture: Path, kind: hold_up.HeldUp, width: int, height: int, scale: float) -> Basis:
        done.append((picture.name, kind, f"{scale:g}"))
        plane = np.full((height, width, 3), len(done) / 100, np.float32)
        return Basis(plane, plane / 2, plane / 4)

    def three(picture: Path, kind: Turns, width: int, height: int, scale: float) -> dict[Facing, Basis]:
        done.append((picture.name, kind, f"{scale:g}"))
        plane = np.full((height, width, 3), 0.1, np.float32)
        return {facing: Basis(plane * (facing + 1), 0 * plane, 0 * plane) for facing in Facing}

    monkeypatch.setattr(hold_up, "hold_up", grey)
    monkeypatch.setattr(turning_of, "turning", three)
    return done


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="dw") as name:
        path = Path(name)
        for shade, picture in enumerate(("a.png", "b.png")):
            Image.new("RGB", (32, 32), (shade, 40, 10)).save(path / picture)
        yield path


def test_every_kind_of_the_command_is_one_that_is_rendered() -> None:
    assert {kind.name: str(kind) for kind in As} == {kind.name: str(kind) for kind in (*hold_up.HeldUp, *Turns)}
    assert held_up.TURNING_SUFFIX == TURNING_SUFFIX


def test_a_picture_is_rendered_once_and_kept(folder: Path, rendering: list[tuple[str, ...]]) -> None:
    first = rendered(folder / "a.png", HELD, folder)
    assert rendered(folder / "a.png", HELD, folder) == first
    assert rendering == [("a.png", "print", "1")]
    assert read_basis(first, 320, 240).ambient.max() == round(0.01 * 65535)
    assert list((folder / SHELF).iterdir()) == [first], "nothing half written is left"
    assert answers_to_light(first)
    assert not answers_to_light(folder / "a.png")


def test_whatever_it_was_made_from_changes_it_is_rendered_anew(
    folder: Path, rendering: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {rendered(folder / "a.png", HELD, folder)}
    for held in (
        replace(HELD, kind=As.SCREEN),
        replace(HELD, scale=0.5),
        replace(HELD, width_px=640, height_px=480),
    ):
        seen.add(rendered(folder / "a.png", held, folder))
    Image.new("RGB", (32, 32), (99, 99, 99)).save(folder / "a.png")
    seen.add(rendered(folder / "a.png", HELD, folder))
    monkeypatch.setattr(held_up, "_code", lambda: b"another renderer")
    seen.add(rendered(folder / "a.png", HELD, folder))
    assert len(seen) == len(rendering) == 6


def test_a_folder_is_held_up_picture_by_picture_in_its_order(folder: Path, rendering: list[tuple[str, ...]]) -> None:
    shown = rendered(folder, HELD, folder / "board")
    assert [name for name, _, _ in rendering] == ["a.png", "b.png"]
    values = [int(read_basis(path, 320, 240).ambient.max()) for path in sorted(shown.iterdir())]
    assert values == [round(0.01 * 65535), round(0.02 * 65535)]
    assert answers_to_light(shown)
    assert not answers_to_light(folder)
    assert rendered(folder, HELD, folder / "board") == shown
    assert len(rendering) == 2


def test_a_rendering_that_is_refused_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PictureRefused("no face was found in a.png: nobody can be made of it")

    monkeypatch.setattr(hold_up, "hold_up", refuse)
    with pytest.raises(PictureRefused, match="no face"):
        rendered(folder / "a.png", HELD, folder)
    assert not (folder / SHELF).exists()


# ---- what `Door.show` makes of it


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A door that answers from memory; what was shown to it is kept."""
    shown: list[dict[str, Any]] = []

    def call(_door: Door, request: dict[str, Any]) -> dict[str, Any]:
        if request["do"] == "show":
            shown.append(request)
        return {}

    monkeypatch.setattr(Door, "_call", call)
    return shown


def door(folder: Path, *, lights: bool) -> Door:
    make(Paths(folder / "d"), Wishes(lights=lights))
    return Door(folder / "d")


def test_at_a_door_without_lights_a_picture_is_the_picture_itself(
    folder: Path, rendering: list[tuple[str, ...]], asked: list[dict[str, Any]]
) -> None:
    door(folder, lights=False).show(folder / "a.png", scale=0.5)
    assert rendering == []
    assert asked == [
        {"do": "show", "source": str((folder / "a.png").resolve()), "fps": PLAIN_FPS, "scale": 0.5},
    ]


def test_at_a_door_with_lights_a_picture_is_a_living_person(
    folder: Path, rendering: list[tuple[str, ...]], asked: list[dict[str, Any]]
) -> None:
    lit = door(folder, lights=True)
    lit.show(folder / "a.png", scale=0.5)
    lit.show(folder / "a.png", fps=12.0)
    assert rendering == [("a.png", "live", "0.5"), ("a.png", "live", "1")]
    assert [(each["fps"], each["scale"]) for each in asked] == [(LIT_FPS, 1.0), (12.0, 1.0)]
    assert all(read_basis(Path(each["source"]), 640, 480) for each in asked)


@pytest.mark.parametrize("lights", [True, False])
def test_who_says_as_what_gets_that(
    folder: Path, rendering: list[tuple[str, ...]], asked: list[dict[str, Any]], lights: bool
) -> None:
    where = door(folder, lights=lights)
    for kind in As:
        where.show(folder / "a.png", held_up=kind)
    assert [kind for _, kind, _ in rendering] == list(As)
    assert len({each["source"] for each in asked}) == len(As)


def test_what_is_rendered_already_is_shown_as_it_is(
    folder: Path, rendering: list[tuple[str, ...]], asked: list[dict[str, Any]]
) -> None:
    where = door(folder, lights=True)
    where.show(folder / "a.png")
    where.show(Path(asked[0]["source"]))
    assert len(rendering) == 1
    assert asked[1] == asked[0]
    where.show(None)
    assert asked[2] == {"do": "show", "source": None, "fps": PLAIN_FPS, "scale": 1.0}


def test_what_cannot_be_kept_is_refused_in_a_sentence(
    folder: Path, asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    where = door(folder, lights=True)
    monkeypatch.setattr(client, "rendered", full)
    with pytest.raises(SimulatorRefused, match=r"a\.png cannot be held up as live: No space left"):
        where.show(folder / "a.png")
    assert asked == []


def test_without_a_running_door_nothing_is_rendered(folder: Path, rendering: list[tuple[str, ...]]) -> None:
    where = door(folder, lights=True)
    with pytest.raises(SimulatorRefused, match="`doorsim up` starts one"):
        where.show(folder / "a.png")
    assert rendering == []
    assert json.dumps(sorted(path.name for path in where.paths.board.iterdir())) == "[]"


def test_who_turns_is_a_folder_of_three_places_rendered_once(folder: Path, rendering: list[tuple[str, ...]]) -> None:
    held = replace(HELD, kind=As.TURNED_PRINT)
    source = rendered(folder / "a.png", held, folder)
    assert rendered(folder / "a.png", held, folder) == source
    assert (source.suffix, rendering) == (TURNING_SUFFIX, [("a.png", "turned-print", "1")])
    assert answers_to_light(source)
    levels = [read_basis(source / NAMES[facing], 320, 240).ambient[0, 0, 0] for facing in Facing]
    assert levels == [round(level * 65535) for level in (0.1, 0.2, 0.3)]
    with pytest.raises(PictureRefused, match="only one picture"):
        rendered(folder, held, folder)
