"""A record knows by which sources it was made: none that decides an attempt is forgotten."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from device.config import parse
from device.manifest import Job, load
from device.paths import models_dir
from tools.attack_lab import record
from tools.attack_lab.record import DECIDE, of_sources

ROOT = Path(__file__).resolve().parents[3]
BEGIN = ("tools/attack_lab/run.py", "tools/attack_lab/attempt.py")
DECIDES_NONE = {
    "tools/attack_lab/counts.py": "counts verdicts",
    "tools/attack_lab/record.py": "keeps them",
    "device/config/__init__.py": "reads settings; those that eye uses are in the digest themselves",
    "device/config/tables.py": "holds their bounds",
    "device/manifest.py": "names the networks; their own digests are in this one",
    "device/paths.py": "says where they lie",
    "device/eye/attack/parallax.py": "the motion challenge, of which a watch has the form of a crop alone",
    "device/errors.py": "sentences",
    "device/wire/__init__.py": "forms of messages, of which none is sent",
}
"""What these import decides nothing either: they are not followed."""


def imported(path: str) -> Iterator[str]:
    """The project's modules that `path` imports when it is imported, as paths."""
    for line in parsed(path).body:
        if isinstance(line, ast.ImportFrom) and line.module:
            names = [line.module, *(f"{line.module}.{each.name}" for each in line.names)]
        elif isinstance(line, ast.Import):
            names = [each.name for each in line.names]
        else:
            continue
        for name in names:
            told = name.replace(".", "/")
            if (ROOT / f"{told}.py").is_file():
                yield f"{told}.py"
            elif (ROOT / told / "__init__.py").is_file():
                yield f"{told}/__init__.py"


def reached() -> set[str]:
    """All that an attempt imports and that holds code: a package that is only described decides nothing."""
    known, new = set[str](), set(BEGIN)
    while new:
        known |= new
        new = {name for path in new - set(DECIDES_NONE) for name in imported(path)} - known
    return {path for path in known if any(not isinstance(line, ast.Expr) for line in parsed(path).body)}


def parsed(path: str) -> ast.Module:
    """The module at `path`."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def test_all_that_an_attempt_imports_decides_it_or_is_known_not_to() -> None:
    forgotten = reached() - set(DECIDE) - set(DECIDES_NONE)
    assert not forgotten, "add it to record.DECIDE, or say here why it decides nothing"


def test_nothing_is_named_that_no_attempt_imports() -> None:
    assert set(DECIDE) | set(DECIDES_NONE) <= reached()
    assert not set(DECIDE) & set(DECIDES_NONE)
    assert len(set(DECIDE)) == len(DECIDE)


@pytest.mark.parametrize("path", ["tools/attack_lab/faults.py", "device/eye/runtime.py", "device/eye/attack/judge.py"])
def test_another_source_is_another_record(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = of_sources()
    for each in DECIDE:
        (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / each).write_bytes((ROOT / each).read_bytes())
    monkeypatch.setattr(record, "_ROOT", tmp_path)
    assert of_sources() == before
    with (tmp_path / path).open("a") as file:
        file.write("\n")
    assert of_sources() != before


def test_other_pictures_settings_networks_or_libraries_are_another_record(monkeypatch: pytest.MonkeyPatch) -> None:
    before = of_sources()
    assert of_sources("other people") != before
    config, manifest = parse("", without_id=True), load(models_dir())
    nearer = replace(config, eye=replace(config.eye, min_eye_distance_px=config.eye.min_eye_distance_px + 1))
    mesh = manifest.for_job(Job.LANDMARKS)
    entries = tuple(replace(each, sha256=bytes(32)) if each is mesh else each for each in manifest.entries)
    for name, other in (
        ("parse", lambda *_, **__: nearer),
        ("load", lambda _: replace(manifest, entries=entries)),
        ("version", lambda name: f"{name} of tomorrow"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(record, name, other)
            assert of_sources() != before, name
    assert of_sources() == before
