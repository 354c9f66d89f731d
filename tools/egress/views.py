"""Everything a recording can be read as: packets, streams, messages, values, and what two messages say together.

Rules kept here:
- Nothing of a packet is left out: its headers and what stands behind its end are searched as well as what it carries.
- What is split over two messages that follow each other on one topic is put together: whole, without the padding, and
  value by value under the same key.
- Numbers in the text of a message are a series, and so are the values of one key over all messages of a topic.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from device.desk.network.packets import Packet
from tools.egress.correlation import LENGTHS, Series
from tools.egress.streams import Published, published, streams

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_MOST_DIGITS = 300  # longer ones are no float64


@dataclass(frozen=True, slots=True)
class Views:
    """`frames` are searched as they are, `texts` unwrapped as well; each with a word on where it was.

    What stands in a frame and in a text is unwrapped there: the bytes of a message are those of its stream.
    """

    frames: dict[bytes, str] = field(default_factory=dict)
    texts: dict[bytes, str] = field(default_factory=dict)
    series: list[Series] = field(default_factory=list)
    messages: list[Published] = field(default_factory=list)


def views(recorded: Iterable[Packet]) -> Views:
    """All views of a recording."""
    recorded = list(recorded)
    found = Views()
    for packet in recorded:
        found.frames.setdefault(packet.content, f"a packet ({packet.protocol})")
        if packet.protocol != "tcp":
            found.texts.setdefault(packet.payload, f"what a packet carries ({packet.protocol})")
        if packet.trailer:
            found.texts.setdefault(packet.trailer, "what follows a packet's end")
    topics: dict[str, list[bytes]] = {}
    for stream in streams(recorded):
        found.texts.setdefault(stream.data, f"the stream from {stream.source} to {stream.target}")
        for message in published(stream.data):
            found.messages.append(message)
            topics.setdefault(message.topic, []).append(message.payload)
    for topic, payloads in topics.items():
        _messages(found, topic, payloads)
    found.texts.pop(b"", None)
    return found


def of_files(files: Iterable[tuple[str, bytes]]) -> Views:
    """The views of files: pairs of a name and the content."""
    found = Views()
    for name, content in files:
        if content:
            found.texts.setdefault(content, name)
            found.series.extend(_numbers(content))
    return found


def _messages(found: Views, topic: str, payloads: list[bytes]) -> None:
    for payload in payloads:
        found.frames.setdefault(payload, f"a message on {topic}")
        found.series.extend(_numbers(payload))
    for before, after in pairwise(payloads):
        found.texts.setdefault(_spoken(before) + _spoken(after), f"two messages on {topic}")
    values: dict[str, list[Any]] = {}
    for payload in payloads:
        for key, value in _values(payload):
            values.setdefault(key, []).append(value)
    for key, each in values.items():
        for value in each:
            if isinstance(value, str):  # escapes are undone here
                found.texts.setdefault(value.encode("utf-8", "surrogatepass"), f"{key} on {topic}")
        for before, after in pairwise(each):
            found.texts.setdefault(f"{before}{after}".encode("utf-8", "surrogatepass"), f"{key} on {topic}, twice")
        numbers = [_float(value) for value in each if isinstance(value, int | float)]
        if len(numbers) >= LENGTHS[0]:
            found.series.append(Series(f"{key} over messages", np.array(numbers)))


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of hundreds of digits
        return float("inf")


def _spoken(payload: bytes) -> bytes:
    """A message without the padding and what JSON puts around it."""
    return payload.strip().strip(b'{}[]"')


def _values(payload: bytes) -> Iterator[tuple[str, Any]]:
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        return
    yield from _leaves("", said)


def _leaves(key: str, said: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(said, dict):
        for name, value in said.items():
            yield from _leaves(f"{key}.{name}" if key else name, value)
    elif isinstance(said, list):
        for value in said:
            yield from _leaves(key, value)
    else:
        yield key or "the whole", said


def _numbers(text: bytes) -> Iterator[Series]:
    numbers = [float(each) for each in _NUMBER.findall(text) if len(each) <= _MOST_DIGITS]
    if len(numbers) >= LENGTHS[0]:
        yield Series("numbers in text", np.array(numbers))
