"""What every judge of a life says when it is over."""

from __future__ import annotations


class Broken(AssertionError):
    """A rule does not hold; the message says which."""
