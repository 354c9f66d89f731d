"""What every network file is: models/manifest.toml as frozen dataclasses, and the one way to read a model's bytes.

Rules kept here:
- A model is used only if its size and sha256 are the manifest's, and what was checked is what is used: the file is read
  once and the very bytes that were hashed are returned, so nobody can exchange the file in between.
- A manifest with an unknown schema, a missing or unknown key or a value of the wrong kind is refused with one sentence.
- A model file is a bare name in the models folder; no manifest can point elsewhere.
- Nothing is loaded here: `device.eye.runtime` compares the interpreter's inputs and outputs with the entry.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path
from typing import cast

from device import reading
from device.errors import ModelRefused

SCHEMA = 1
MODEL_ID_BYTES = 8
MANIFEST = "manifest.toml"
MAX_MANIFEST_BYTES = 1 << 20
MAX_MODEL_BYTES = 256 << 20

_TENSOR_KEYS = {"name", "shape", "dtype", "scale", "zero_point"}
_ENTRY_KEYS = {"file", "sha256", "bytes", "job", "quantization", "licence", "card", "input", "outputs"}
_FREE_KEYS = {"source", "measured", "operating_point"}
_DTYPES = ("float32", "int8", "uint8")


@unique
class Job(StrEnum):
    """What a network is for; a manifest names at most one network a job."""

    DETECT = "detect"
    LANDMARKS = "landmarks"
    EMBED = "embed"


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input or output: `real = (stored - zero_point) * scale`; scale 0 says that it is not quantized.

    `meaning` is what the values stand for, in the manifest's words ("cls/8", "embedding", "BGR 0..255").
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    meaning: str
    scale: float
    zero_point: int


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One network. `size` in bytes; `sha256` 32 bytes."""

    name: str
    file: str
    sha256: bytes
    size: int
    job: Job
    quantization: str
    licence: str
    card: str
    input: Tensor
    outputs: tuple[Tensor, ...]

    @property
    def model_id(self) -> bytes:
        """The first 8 bytes of the file's sha256. What a template is bound to `device.meaning` says."""
        return self.sha256[:MODEL_ID_BYTES]


@dataclass(frozen=True, slots=True)
class Manifest:
    """All networks, in the manifest's order."""

    entries: tuple[ModelEntry, ...]

    def for_job(self, job: Job) -> ModelEntry:
        """The network for `job`. Raises ModelRefused if there is none."""
        for entry in self.entries:
            if entry.job is job:
                return entry
        msg = f"the manifest names no network for the job {job}"
        raise ModelRefused(msg)


def parse(text: str) -> Manifest:
    """The manifest in `text`. Raises ModelRefused with one sentence."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as cause:
        msg = f"the model manifest is no TOML: {cause}"
        raise ModelRefused(msg) from cause
    except (ValueError, RecursionError) as cause:
        msg = "the model manifest holds a number too long to read, or tables nested too deeply"
        raise ModelRefused(msg) from cause
    schema = tables.pop("schema", None)
    if type(schema) is not int or schema != SCHEMA:
        msg = f"the model manifest must say schema = {SCHEMA}"
        raise ModelRefused(msg)
    entries = tuple(_entry(name, _table(table, f"[{name}]")) for name, table in tables.items())
    jobs = [entry.job for entry in entries]
    twice = sorted({job for job in jobs if jobs.count(job) > 1})
    if twice:
        msg = f"the model manifest names more than one network for the job {twice[0]}"
        raise ModelRefused(msg)
    return Manifest(entries)


def load(folder: Path) -> Manifest:
    """The manifest of the models in `folder`. Raises ModelRefused."""
    try:
        return parse(_read(folder / MANIFEST, MAX_MANIFEST_BYTES).decode("utf-8"))
    except UnicodeDecodeError as cause:
        msg = f"the model manifest in {folder} is no text"
        raise ModelRefused(msg) from cause


def load_model_bytes(entry: ModelEntry, folder: Path) -> bytes:
    """The bytes of `entry`'s file, read once and checked as returned. Raises ModelRefused."""
    data = _read(folder / entry.file, entry.size)
    if len(data) != entry.size:
        msg = f"{entry.file} holds {len(data)} bytes where the manifest says {entry.size}"
        raise ModelRefused(msg)
    if not hmac.compare_digest(hashlib.sha256(data).digest(), entry.sha256):
        msg = f"{entry.file} is not the file the manifest names: its sha256 differs"
        raise ModelRefused(msg)
    return data


def _read(path: Path, limit: int) -> bytes:
    return reading.within(path, limit, ModelRefused, f"{path.name} holds more than the {limit} bytes it may")


def _entry(name: str, table: Mapping[str, object]) -> ModelEntry:
    where = f"[{name}]"
    _keys(table, _ENTRY_KEYS, _FREE_KEYS, where)
    outputs = table["outputs"]
    if not isinstance(outputs, list) or not outputs:
        msg = f"[[{name}.outputs]] must list at least one output"
        raise ModelRefused(msg)
    parsed = tuple(_tensor(_table(item, f"[[{name}.outputs]]"), "meaning", f"[[{name}.outputs]]") for item in outputs)
    names = [tensor.name for tensor in parsed]
    if len(set(names)) != len(names):
        msg = f"[[{name}.outputs]] names an output twice"
        raise ModelRefused(msg)
    return ModelEntry(
        name=name,
        file=_text(table, "file", where, r"[A-Za-z0-9_][A-Za-z0-9_.-]*", "a bare file name"),
        sha256=bytes.fromhex(_text(table, "sha256", where, r"[0-9a-f]{64}", "64 hexadecimal digits")),
        size=_whole(table, "bytes", where, 1, MAX_MODEL_BYTES),
        job=Job(_text(table, "job", where, "|".join(Job), "one of " + ", ".join(Job))),
        quantization=_text(table, "quantization", where),
        licence=_text(table, "licence", where),
        card=_text(table, "card", where),
        input=_tensor(_table(table["input"], f"[{name}.input]"), "values", f"[{name}.input]"),
        outputs=parsed,
    )


def _tensor(table: Mapping[str, object], note: str, where: str) -> Tensor:
    _keys(table, _TENSOR_KEYS | {note}, set(), where)
    shape = table["shape"]
    if not isinstance(shape, list) or not shape or not all(type(n) is int and n > 0 for n in shape):
        msg = f"{where} shape must be a list of positive whole numbers"
        raise ModelRefused(msg)
    return Tensor(
        name=_text(table, "name", where),
        shape=tuple(cast("list[int]", shape)),
        dtype=_text(table, "dtype", where, "|".join(_DTYPES), "one of " + ", ".join(_DTYPES)),
        meaning=_text(table, note, where),
        scale=_real(table, "scale", where, 0.0, 1e6),
        zero_point=_whole(table, "zero_point", where, -128, 255),
    )


def _table(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        msg = f"{where} in the model manifest must be a table"
        raise ModelRefused(msg)
    return cast("dict[str, object]", value)


def _keys(table: Mapping[str, object], needed: set[str], free: set[str], where: str) -> None:
    missing = sorted(needed - table.keys())
    unknown = sorted(table.keys() - needed - free)
    if missing or unknown:
        msg = f"{where} in the model manifest lacks {missing[0]}" if missing else f"{where} may not hold {unknown[0]}"
        raise ModelRefused(msg)


def _text(table: Mapping[str, object], key: str, where: str, pattern: str = r".+", meaning: str = "a text") -> str:
    value = table[key]
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        msg = f"{where} {key} must be {meaning}"
        raise ModelRefused(msg)
    return value


def _whole(table: Mapping[str, object], key: str, where: str, low: int, high: int) -> int:
    value = table[key]
    if type(value) is not int or not low <= value <= high:
        msg = f"{where} {key} must be a whole number from {low} to {high}"
        raise ModelRefused(msg)
    return value


def _real(table: Mapping[str, object], key: str, where: str, low: float, high: float) -> float:
    value = table[key]
    if type(value) not in (int, float) or not low <= cast("float", value) <= high:
        msg = f"{where} {key} must be a number from {low:g} to {high:g}"
        raise ModelRefused(msg)
    return float(cast("float", value))
