"""A few seeded inputs for every parser, and parsers that must be found out.

tests/integration/endurance feeds each 20,000, `make long` a million.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from device.errors import MessageRefused
from tools.endurance import fuzz as tool
from tools.endurance.fuzz import Target, Wrong, fuzz
from tools.endurance.garble import garbled
from tools.endurance.targets import targets

INPUTS = 2_000
FEW = 200


def test_the_same_seed_gives_the_same_bytes_and_they_are_changed() -> None:
    honest = (b"one honest input", b"another")
    drawn = [garbled(honest, Random(number)) for number in range(200)]
    assert drawn == [garbled(honest, Random(number)) for number in range(200)]
    assert sum(data not in honest for data in drawn) > 150
    assert len({len(data) for data in drawn}) > 10


@pytest.mark.slow
def test_no_parser_breaks_hangs_or_takes_what_it_should_not(tmp_path: Path) -> None:
    fed = [fuzz(target, FEW, seed=7) for target in targets(tmp_path)]
    assert {each.name: each.found[1] for each in fed if each.found} == {}


def _seeded(parse: Callable[[bytes], bool]) -> Target:
    return Target("seeded", (b"honest",), parse, (MessageRefused,))


def _refuses(data: bytes) -> bool:
    if data != b"honest":
        raise MessageRefused("no")
    return True


def _looks_up(data: bytes) -> bool:
    """Seeded fault: a byte nobody thought of."""
    return dict.fromkeys(range(0x80), True)[data[0]] if data else _refuses(data)


def _takes(data: bytes) -> bool:
    """Seeded fault: what was changed is taken."""
    if data.startswith(b"hon") and data != b"honest":
        raise Wrong("took what was changed")
    return _refuses(data)


def _turns(data: bytes) -> bool:
    """Seeded fault: a loop that does not end."""
    while len(data) != len(b"honest"):
        pass
    return _refuses(data)


def test_a_parser_that_refuses_is_fine() -> None:
    assert fuzz(_seeded(_refuses), INPUTS, seed=1).found is None


@pytest.mark.parametrize(("parse", "why"), [(_looks_up, "KeyError"), (_takes, "Wrong"), (_turns, "held the processor")])
def test_a_parser_with_a_seeded_fault_is_found(
    parse: Callable[[bytes], bool], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool, "LIMIT_S", 0.05)
    fed = fuzz(_seeded(parse), INPUTS, seed=1)
    assert fed.found is not None
    assert fed.found[1].startswith(why)
