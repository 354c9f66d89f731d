"""Which runtime is taken where."""

import numpy as np
import pytest

from device import manifest
from device.errors import ModelRefused
from device.eye import runtime
from device.eye.runtime import Network, Runtime, choose
from device.manifest import Job, ModelEntry, Tensor

BOTH = frozenset(Runtime)
LITERT, TFLITE = Runtime.LITERT, Runtime.TFLITE


@pytest.mark.parametrize(
    ("present", "chosen"), [(BOTH, LITERT), (frozenset({LITERT}), LITERT), (frozenset({TFLITE}), TFLITE)]
)
def test_auto_takes_the_runtime_with_fewer_instructions_of_those_installed(
    present: frozenset[Runtime], chosen: Runtime
) -> None:
    assert choose("auto", present) is chosen


def test_what_is_not_installed_is_refused_by_name() -> None:
    with pytest.raises(ModelRefused, match="tflite-runtime is not installed"):
        choose("tflite", frozenset({LITERT}))
    with pytest.raises(ModelRefused, match="no TFLite runtime"):
        choose("auto", frozenset())
    assert choose("litert", BOTH) is LITERT


def test_tflite_runtime_under_numpy_2_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    tensor = Tensor("x", (1,), "float32", "x", 0.0, 0)
    entry = ModelEntry("n", "n.tflite", b"", 1, Job.EMBED, "float32", "MIT", "n.md", tensor, (tensor,))
    monkeypatch.setattr(np, "__version__", "2.1.0")
    with pytest.raises(ModelRefused, match="numpy below 2"):
        Network.from_bytes(entry, b"", TFLITE)


def test_dequantizing_is_the_manifests_formula() -> None:
    tensor = manifest.Tensor("x", (3,), "int8", "x", 0.5, -4)
    assert runtime.dequantized(np.array([-4, 0, 6], np.int8), tensor).tolist() == [0.0, 2.0, 5.0]
    plain = manifest.Tensor("x", (1,), "float32", "x", 0.0, 0)
    assert runtime.dequantized(np.array([0.25], np.float32), plain).tolist() == [0.25]
