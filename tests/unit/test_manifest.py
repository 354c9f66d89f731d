"""The model manifest is read exactly or refused, and a model's bytes are the ones that were checked."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import manifest
from device.errors import ModelRefused
from device.manifest import Job

MODEL = b"a network"

GOOD = f"""
schema = 1
[small]
file = "small.tflite"
sha256 = "{hashlib.sha256(MODEL).hexdigest()}"
bytes = {len(MODEL)}
job = "embed"
quantization = "int8"
licence = "MIT"
card = "small.md"
[small.source]
kind = "anything"
[small.input]
name = "in"
shape = [1, 2]
dtype = "int8"
values = "BGR"
scale = 0.5
zero_point = -3
[[small.outputs]]
name = "out"
shape = [1, 4]
dtype = "float32"
meaning = "embedding"
scale = 0.0
zero_point = 0
[small.operating_point]
threshold = 0.65
averaging_shift = 0.05
fmr = 0.001
population = "somebody"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "manifest.toml").write_text(GOOD)
    (tmp_path / "small.tflite").write_bytes(MODEL)
    return tmp_path


def test_entry_holds_what_the_manifest_says(folder: Path) -> None:
    entry = manifest.load(folder).for_job(Job.EMBED)
    assert entry.model_id == hashlib.sha256(MODEL).digest()[:8]
    assert entry.input == manifest.Tensor("in", (1, 2), "int8", "BGR", 0.5, -3)
    assert [tensor.meaning for tensor in entry.outputs] == ["embedding"]


def test_missing_job_is_refused() -> None:
    with pytest.raises(ModelRefused, match="detect"):
        manifest.parse(GOOD).for_job(Job.DETECT)


def test_checked_bytes_are_the_returned_bytes(folder: Path) -> None:
    assert manifest.load_model_bytes(manifest.load(folder).entries[0], folder) == MODEL


@pytest.mark.parametrize("other", [b"a netwerk", b"a network!", b"a networ", b""])
def test_other_model_bytes_are_refused(folder: Path, other: bytes) -> None:
    (folder / "small.tflite").write_bytes(other)
    with pytest.raises(ModelRefused, match=r"small\.tflite"):
        manifest.load_model_bytes(manifest.load(folder).entries[0], folder)


def test_model_file_is_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is exchanged after the check cannot matter: there is no second look at it."""
    entry = manifest.load(folder).entries[0]
    opened: list[str] = []
    open_ = os.open

    def counted(path: str | Path, *args: int, **kwargs: int | None) -> int:
        opened.append(str(path))
        return open_(path, *args, **kwargs)  # type: ignore[arg-type]  # passes on whatever it was given

    monkeypatch.setattr(os, "open", counted)
    manifest.load_model_bytes(entry, folder)
    assert opened == [str(folder / "small.tflite")]


def test_absent_files_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="cannot be read"):
        manifest.load(tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("schema = 1", "schema = 2"),
        ("schema = 1", "schema = true"),
        ("schema = 1", ""),
        ("schema = 1", "schema = 1\nextra = 3"),
        ('file = "small.tflite"', 'file = "../small.tflite"'),
        ('file = "small.tflite"', 'file = "/etc/passwd"'),
        ('file = "small.tflite"', 'file = ""'),
        ('file = "small.tflite"', ""),
        ('card = "small.md"', 'card = "small.md"\nsurprise = 1'),
        ('job = "embed"', 'job = "guess"'),
        (f"bytes = {len(MODEL)}", "bytes = -1"),
        (f"bytes = {len(MODEL)}", "bytes = true"),
        ("sha256 = ", 'sha256 = "00" #'),
        ("shape = [1, 4]", "shape = []"),
        ("shape = [1, 4]", "shape = [1, 0]"),
        ("shape = [1, 4]", 'shape = [1, "4"]'),
        ('dtype = "int8"', 'dtype = "float64"'),
        ("scale = 0.5", "scale = nan"),
        ("scale = 0.5", "scale = -1.0"),
        ("zero_point = -3", "zero_point = 900"),
        ("[[small.outputs]]", "[small.outputs]"),
        ("[small.input]", "[small.imput]"),
        ("schema = 1", "schema = 1 ["),
    ],
)
def test_malformed_manifest_is_refused_with_a_sentence(old: str, new: str) -> None:
    assert old in GOOD
    with pytest.raises(ModelRefused) as refused:
        manifest.parse(GOOD.replace(old, new, 1))
    assert len(str(refused.value).split()) >= 4


def test_two_networks_for_one_job_are_refused() -> None:
    twin = GOOD.replace("schema = 1", "").replace("small", "twin")
    with pytest.raises(ModelRefused, match="more than one"):
        manifest.parse(GOOD + twin)


def test_output_named_twice_is_refused() -> None:
    outputs = GOOD[GOOD.index("[[small.outputs]]") : GOOD.index("[small.operating_point]")]
    with pytest.raises(ModelRefused, match="twice"):
        manifest.parse(GOOD.replace(outputs, outputs + outputs))


@given(st.text(max_size=200))
def test_no_text_does_anything_but_parse_or_be_refused(text: str) -> None:
    with suppress(ModelRefused):
        manifest.parse(text)
