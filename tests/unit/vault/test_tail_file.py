"""models/impostor-tail.toml: read as written, or refused before face starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.errors import ModelRefused
from device.vault import tail as tail_file
from device.vault.tail import Averaging


def text(**changes: str) -> str:
    keys = {
        "schema": "1",
        "model_sha256": f'"{"ab" * 32}"',
        "first": "0.5",
        "step": "0.1",
        "pairs": "100",
        "above": "[3, 1]",
        "upper": "[0.1, 0.05]",
        "enrolled": "5",
        "frames": "3",
        "shift": "0.05",
        "fnmr": "[0.0, 0.5]",
    } | changes
    top = "\n".join(f"{key} = {keys[key]}" for key in ("schema", "model_sha256", "first", "step"))
    cell = "\n".join(f"{key} = {keys[key]}" for key in ("pairs", "above", "upper"))
    mode = "\n".join(f"{key} = {keys[key]}" for key in ("enrolled", "frames", "shift", "fnmr"))
    return f"{top}\n[cells.some]\n{cell}\n[[averaging]]\n{mode}\n"


def test_a_small_file_is_read_as_written() -> None:
    made = tail_file.parse(text().encode())
    assert made.cells == (("some", (0.1, 0.05)),)
    assert made.averaging == (Averaging(5, 3, 0.05, (0.0, 0.5)),)
    assert (made.threshold(0.1), made.threshold(0.07), made.threshold(0.01)) == (0.5, 0.6, None)


BROKEN: dict[str, str] = {
    "another schema": text(schema="2"),
    "no hash": text(model_sha256='"xyz"'),
    "no step": text(step="0.0"),
    "thresholds beyond a cosine": text(first="0.95"),
    "a bound above one": text(upper="[1.5, 0.1]"),
    "a bound of nothing": text(upper="[0.1, 0.0]"),
    "a bound that is no number": text(upper="[0.1, nan]"),
    "a bound that rises": text(upper="[0.05, 0.1]"),
    "a bound below what was seen": text(upper="[0.1, 0.005]"),
    "lists of two lengths": text(fnmr="[0.1, 0.2, 0.3]"),
    "empty lists": text(upper="[]", above="[]", fnmr="[]"),
    "a refusal rate above one": text(fnmr="[0.0, 2.0]"),
    "a negative shift": text(shift="-0.1"),
    "no pairs": text(pairs="0"),
    "a text for a number": text(first='"0.5"'),
    "a truth for a number": text(first="true"),
    "no cells": text().replace("[cells.some]", "[other.some]"),
    "no averaging": text().split("[[averaging]]")[0],
    "no TOML": "[",
    "nothing": "",
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_tail_file_keeps_face_from_starting(how: str) -> None:
    with pytest.raises(ModelRefused, match="face does not start") as refusal:
        tail_file.parse(BROKEN[how].encode())
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"\0" * 10])
def test_what_is_no_text_keeps_face_from_starting(data: bytes) -> None:
    with pytest.raises(ModelRefused, match="face does not start"):
        tail_file.parse(data)


def test_a_file_longer_than_any_tail_is_not_read(tmp_path: Path) -> None:
    (tmp_path / tail_file.FILE).write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(ModelRefused, match="longer than any"):
        tail_file.load(tmp_path, bytes(32))
