"""What people hand in: readers of files, forms and lists with a fault in them are found out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from starlette.requests import Request

from device.desk.page import forms
from device.desk.page.site import Site
from device.desk.page.view import View
from device.errors import PictureRefused
from device.eye.basis import Basis, read_basis
from provisioning.console import sheets_csv
from tools.endurance.fuzz import Fed, Target, fuzz
from tools.endurance.handed import Read, handed, held_up

INPUTS = 2_000


def fed(found: tuple[Target, ...], name: str) -> Fed:
    (target,) = (each for each in found if each.name == name)
    return fuzz(target, INPUTS, seed=3)


@pytest.mark.slow
def test_nothing_is_found_in_the_readers_as_they_are(tmp_path: Path) -> None:
    done = [fuzz(target, INPUTS, seed=3) for target in handed(tmp_path)]
    assert [each.found for each in done] == [None] * 4
    assert all(0 < each.taken < each.inputs for each in done)


def _believes_numpy(path: Path, _width: int, _height: int) -> Basis:
    """Seeded fault: what stands in the file is numpy's to judge."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Basis(*(arrays[name] for name in ("ambient", "left", "right")))
    except (OSError, ValueError, KeyError, RuntimeError) as cause:
        raise PictureRefused(f"{path.name} cannot be read") from cause


def _believes_shapes(path: Path, width: int, height: int) -> Basis:
    """Seeded fault: memory is taken for what a file declares; every error is one of its own."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            shapes = [arrays[name].shape for name in ("ambient", "left", "right")]
    except Exception as cause:
        raise PictureRefused(f"{path.name} cannot be read") from cause
    if set(shapes) != {(height, width, 3)}:
        raise PictureRefused(f"{path.name} is of another size")
    return read_basis(path, width, height)


def _unpickles(path: Path, width: int, height: int) -> Basis:
    """Seeded fault: an object is taken for a picture."""
    try:
        with np.load(path, allow_pickle=True) as arrays:
            return Basis(*(np.zeros((height, width, 3), arrays[name].dtype) for name in ("ambient", "left", "right")))
    except Exception as cause:
        raise PictureRefused(f"{path.name} cannot be read") from cause


def _names_no_file(path: Path, width: int, height: int) -> Basis:
    """Seeded fault: a refusal of which nobody knows what it means."""
    try:
        return read_basis(path, width, height)
    except PictureRefused as cause:
        raise PictureRefused("no") from cause


@pytest.mark.parametrize(
    ("read", "why"),
    [
        (_believes_numpy, ("TokenError", "LZMAError", "AttributeError", "Wrong: took")),
        (_believes_shapes, ("Wrong: took 54",)),
        (_unpickles, ("Wrong: took pictures of another",)),
        (_names_no_file, ("Wrong: refused in other than",)),
    ],
)
def test_a_reader_of_held_up_files_with_a_seeded_fault_is_found(
    read: Read, why: tuple[str, ...], tmp_path: Path
) -> None:
    found = fed(held_up(tmp_path, read), "held-up file, packed anew").found
    assert found is not None
    assert found[1].startswith(why), found[1]


async def _takes_the_last(_view: View, request: Request) -> dict[str, str]:
    """Seeded fault: of a field that comes twice the last counts."""
    form = await request.form(max_fields=8, max_files=0)
    return {name: str(value) for name, value in form.multi_items()} | {"token": _view.site.token("form", "s" * 43)}


def test_a_reader_of_forms_with_a_seeded_fault_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = forms.read
    monkeypatch.setattr(forms, "read", _takes_the_last)
    assert "a field twice" in (fed(handed(tmp_path), "form of the page").found or (b"", ""))[1]
    monkeypatch.setattr(forms, "read", whole)
    assert fed(handed(tmp_path), "form of the page").found is None
    monkeypatch.setattr(Site, "fits", lambda *_: True)
    assert "without its token" in (fed(handed(tmp_path), "form of the page").found or (b"", ""))[1]


def _no_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets_csv, "_FORMULA", ("@",))


def _all_are_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets_csv, "_twice", lambda rows, _taken: rows)


@pytest.mark.parametrize(
    ("fault", "why"), [(_no_formula, "a spreadsheet would run"), (_all_are_new, "two of one name")]
)
def test_a_reader_of_lists_with_a_seeded_fault_is_found(
    fault: Callable[[pytest.MonkeyPatch], None], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(monkeypatch)
    assert why in (fed(handed(tmp_path), "list of doors").found or (b"", ""))[1]
