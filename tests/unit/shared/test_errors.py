"""Two roots, and every error under exactly one of them and under a type of the standard library."""

from __future__ import annotations

import inspect

import pytest

from device import errors
from device.errors import Fault, Refusal

ALL = [
    value
    for _, value in inspect.getmembers(errors, inspect.isclass)
    if value.__module__ == errors.__name__ and value not in (Refusal, Fault)
]


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_an_error_is_a_refusal_or_a_fault_and_a_type_the_reader_knows(error: type[Exception]) -> None:
    assert issubclass(error, Refusal) is not issubclass(error, Fault)
    standard = [base for base in error.__mro__ if base.__module__ == "builtins" and base not in (Exception, object)]
    assert set(standard) - {BaseException}


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_an_error_says_its_sentence_and_nothing_else(error: type[Exception]) -> None:
    assert str(error("the door is not there")) == "the door is not there"


@pytest.mark.parametrize("error", [*ALL, Refusal, Fault], ids=lambda error: error.__name__)
def test_an_error_is_explained(error: type[Exception]) -> None:
    assert (error.__doc__ or "").rstrip().endswith(".")
