"""Write `models/manifest.toml`: what every network file is, where it came from, what goes in and comes out.

Rules: names, shapes, types and quantization are what the interpreter reports of the very bytes written; figures are not
computed here: `measured.toml` beside this file is appended word for word.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.models import build_sface, build_yunet
from tools.models.fetch import sha256
from tools.models.runner import Runner
from tools.models.sources import FACEMESH, SFACE, YUNET, Source

MEASURED = Path(__file__).with_name("measured.toml")


@dataclass(frozen=True)
class Entry:
    """The part of a manifest entry that a file cannot tell about itself. `meanings`: output name to meaning."""

    name: str
    job: str
    quantization: str
    licence: str
    source: Source
    values: str
    meanings: dict[str, str]


ENTRIES = (
    Entry(
        "yunet",
        "detect",
        "float32",
        "MIT",
        YUNET,
        "BGR 0..255",
        {name: name.replace("_", "/") for name in build_yunet.OUTPUTS},
    ),
    Entry(
        "facemesh",
        "landmarks",
        "float32",
        "Apache-2.0",
        FACEMESH,
        "RGB 0..1, eye-levelled square crop of 1.5 times the face",
        {"conv2d_21": "landmarks", "conv2d_31": "presence"},
    ),
    Entry("sface", "embed", "int8", "Apache-2.0", SFACE, build_sface.VALUES, {"embedding": "embedding"}),
)


def render(models: dict[str, bytes]) -> str:
    """The whole manifest for the given files, by entry name."""
    parts = ["# Written by tools/models/rebuild.py; figures come from tools/models/measured.toml.\nschema = 1\n"]
    parts += [_entry(entry, models[entry.name]) for entry in ENTRIES]
    return "\n".join(parts) + "\n" + MEASURED.read_text()


def _entry(entry: Entry, model: bytes) -> str:
    net = Runner(model)
    archive = entry.source.archive
    lines = [f"[{entry.name}]"]
    lines += _pairs(file=f"{entry.name}.tflite", sha256=sha256(model), bytes=len(model), job=entry.job)
    lines += _pairs(quantization=entry.quantization, licence=entry.licence, card=f"{entry.name}.md")
    lines += ["", f"[{entry.name}.source]"]
    lines += _pairs(kind="pypi", package=archive.package, version=archive.version)
    lines += _pairs(archive_sha256=archive.sha256, path=entry.source.path, sha256=entry.source.sha256)
    lines += ["", f"[{entry.name}.input]", *_tensor(net.input, ("values", entry.values))]
    for name, details in net.outputs.items():
        lines += ["", f"[[{entry.name}.outputs]]", *_tensor(details, ("meaning", entry.meanings[name]))]
    return "\n".join(lines) + "\n"


def _tensor(details: dict[str, Any], note: tuple[str, str]) -> list[str]:
    scale, zero_point = details["quantization"]
    shape = [int(n) for n in details["shape"]]
    lines = _pairs(name=details["name"], shape=shape, dtype=details["dtype"].__name__)
    return lines + _pairs(**{note[0]: note[1]}) + _pairs(scale=float(scale), zero_point=int(zero_point))


def _pairs(**values: str | float | list[int]) -> list[str]:
    return [f"{key} = {_toml(value)}" for key, value in values.items()]


def _toml(value: str | float | list[int]) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value)
