"""The embedder's table and its unit vectors."""

import numpy as np
import pytest

from device.errors import ModelRefused
from device.eye.embedder import input_table, unit
from device.manifest import Tensor


def tensor(dtype: str, scale: float, zero_point: int) -> Tensor:
    return Tensor("bgr", (1, 112, 112, 3), dtype, "BGR", scale, zero_point)


def test_table_is_pixel_minus_128_for_the_shipped_quantization() -> None:
    assert input_table(tensor("int8", 0.0078125, 0)).tolist() == list(range(-128, 128))


def test_table_follows_scale_and_zero_point_and_saturates() -> None:
    table = input_table(tensor("int8", 0.00390625, 10))
    assert table[128] == 10
    assert table[130] == 14
    assert (table[0], table[255]) == (-128, 127)


@pytest.mark.parametrize("bad", [tensor("float32", 0.0, 0), tensor("int8", 0.0, 0), tensor("uint8", 0.1, 0)])
def test_other_inputs_are_refused(bad: Tensor) -> None:
    with pytest.raises(ModelRefused):
        input_table(bad)


def test_embedding_has_length_one_or_is_refused() -> None:
    assert unit(np.array([3, 4], np.float32)).tolist() == pytest.approx([0.6, 0.8])
    for bad in ([0, 0], [np.nan, 1], [np.inf, 1]):
        with pytest.raises(ModelRefused):
            unit(np.array(bad, np.float32))
