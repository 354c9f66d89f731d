"""libosdp at both ends, without a line between them: what it takes from one, with our guards and without."""

from __future__ import annotations

import ctypes
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from device.lock import osdp_panel
from device.lock.osdp_frames import Gate
from device.lock.osdp_panel import DEFAULT_KEY, Heard, Keys, Panel
from tests.contract.osdp.bench import ADDRESS, KEY, OTHER_KEY, PATIENCE_S, Pd, Wire, honest, reply

KEYPAD = b"\x53\x00\x011"  # osdp_KEYPAD of reader 0: the key 1
CHALLENGE = b"\x03\x11\x01\x76"  # a security block SCS_11 that names the key of the installation, and osdp_CHLNG


@dataclass
class Both:
    """Both ends, stepped by hand."""

    gated: bool = True
    key: bytes = KEY
    kind: type[Panel] = Panel
    heard: list[Heard] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wire = Wire(Gate(ADDRESS) if self.gated else None)
        self.panel = self.kind(self.wire, ADDRESS, KEY, self.heard.append)
        self.wire.secured = lambda: self.panel.handshaken
        self.pd = Pd(self.wire, self.key)

    def until(self, met: Callable[[], bool]) -> None:
        end_s = time.monotonic() + PATIENCE_S
        while not met():
            assert time.monotonic() < end_s
            self.panel.refresh()
            self.pd.step()

    @property
    def keys(self) -> str:
        return "".join(heard.keys for heard in self.heard if isinstance(heard, Keys))

    @property
    def nonce(self) -> bytes:
        """What the door's handshake began with."""
        return next(sent.partition(CHALLENGE)[2][:8] for sent in self.pd.heard if CHALLENGE in sent)


def control_of(content: bytes) -> int:
    """The control byte of a frame as libosdp sends it, with a mark in front."""
    return content[1:][4] if content[0] == 0xFF else content[4]


def in_the_clear_once(both: Both, block: bytes) -> None:
    """The next reply becomes one that says a key was pressed, in the clear but for the name of a security block."""

    def clear(content: bytes) -> bytes:
        return reply(control_of(content) & 0x03 | (0x08 if block else 0), block + KEYPAD)

    both.pd.spoil_next(clear)


def test_a_key_is_heard_through_the_secure_channel() -> None:
    both = Both()
    both.until(lambda: both.panel.secured)
    both.pd.keys("7*#")
    both.until(lambda: len(both.heard) == 3)
    assert both.keys == "7*#"


def test_another_key_gives_no_channel() -> None:
    both = Both(key=OTHER_KEY)
    both.until(lambda: osdp_panel.Offline() in both.heard)
    assert not both.panel.secured
    assert not both.panel.handshaken


def test_a_reader_that_only_knows_the_default_key_gives_no_channel() -> None:
    both = Both(key=DEFAULT_KEY)
    both.until(lambda: osdp_panel.Offline() in both.heard)
    assert not any(b"\x03\x11\x00\x76" in sent for sent in both.pd.heard), "it was not even tried"


@pytest.mark.parametrize("block", [b"\x02\x12", b"\x02\x14", b"\x02\x11", b""])
def test_a_key_in_the_clear_in_the_middle_of_a_channel_is_not_heard(block: bytes) -> None:
    both = Both()
    both.until(lambda: both.panel.secured)
    in_the_clear_once(both, block)
    both.until(lambda: both.pd.spoil is honest)
    until_s = time.monotonic() + 0.3
    both.until(lambda: time.monotonic() > until_s)
    assert both.keys == ""


def test_libosdp_alone_takes_such_a_key() -> None:
    """Seeded fault: no gate. If an update makes this fail, the library has learnt it."""
    both = Both(gated=False)
    both.until(lambda: both.panel.secured)
    in_the_clear_once(both, b"\x02\x12")
    both.until(lambda: both.keys == "1")


class TakesAll(Panel):
    """Seeded fault: what is heard before the channel stands counts."""

    def _counts(self) -> bool:
        return True


@pytest.mark.parametrize(("gated", "kind", "taken"), [(True, TakesAll, ""), (False, Panel, ""), (False, TakesAll, "1")])
def test_a_key_from_before_the_handshake_is_not_heard_after_it(gated: bool, kind: type[Panel], taken: str) -> None:
    """Either guard alone is enough; with neither it is heard."""
    both = Both(gated=gated, kind=kind)
    in_the_clear_once(both, b"")
    end_s = time.monotonic() + PATIENCE_S
    while not both.panel.secured:
        assert time.monotonic() < end_s
        if osdp_panel.Offline() in both.heard:
            both.heard.clear()
            both.panel.restart()
        both.panel.refresh()
        both.pd.step()
    assert both.keys == taken


class Unseeded(Panel):
    """Seeded fault: rand() as it comes."""

    def _freshen(self) -> None:
        pass


def nonces_of_two_starts(kind: type[Panel]) -> set[bytes]:
    """How the handshake begins in two processes that have just started: rand() begins alike in both."""
    found = set()
    for _ in range(2):
        ctypes.CDLL(None).srand(1)
        both = Both(kind=kind)
        both.until(lambda both=both: both.panel.secured)  # type: ignore[misc] # bound, so that each waits for its own
        found.add(both.nonce)
    return found


def test_a_handshake_never_begins_as_after_the_last_start() -> None:
    assert len(nonces_of_two_starts(Panel)) == 2
    assert len(nonces_of_two_starts(Unseeded)) == 1, "without the seed, what a reader said could be played again"


@pytest.mark.parametrize(("kind", "typed"), [(Panel, ""), (Unseeded, "471#")])
def test_a_recorded_evening_cannot_be_played_again_after_a_restart(kind: type[Panel], typed: str) -> None:
    """Somebody has kept what the reader said, restarts lock, and answers its commands with that, one by one."""
    ctypes.CDLL(None).srand(1)
    recorded: list[bytes] = []
    both = Both(kind=kind)

    def keep(content: bytes) -> bytes:
        recorded.append(content)
        return content

    both.pd.spoil = keep
    both.until(lambda: both.panel.secured)
    both.pd.keys("471#")
    both.until(lambda: both.keys == "471#")
    ctypes.CDLL(None).srand(1)
    again = Both(kind=kind)
    end_s = time.monotonic() + PATIENCE_S
    while recorded and osdp_panel.Offline() not in again.heard:
        assert time.monotonic() < end_s
        again.panel.refresh()
        if again.wire.to_reader:
            again.wire.to_reader.clear()
            again.wire.to_door.append(recorded.pop(0))
    for _ in range(3):
        again.panel.refresh()
    assert again.keys == typed


def test_each_handshake_of_one_process_begins_anew() -> None:
    both = Both()
    found = set()
    for _ in range(5):
        both.pd.heard.clear()
        both.until(lambda: both.panel.secured)
        found.add(both.nonce)
        both.panel.restart()
    assert len(found) == 5


def test_a_restart_is_not_over_before_a_new_handshake() -> None:
    both = Both()
    both.until(lambda: both.panel.secured)
    both.panel.restart()
    assert not both.panel.secured
    both.until(lambda: both.panel.secured)
    assert osdp_panel.Offline() not in both.heard, "what we did ourselves is no news"


def test_digits_do_not_stay_in_what_the_library_leaks() -> None:
    kept: list[dict[str, object]] = []

    class Keeping(Panel):
        def _happened(self, reader: int, event: dict[str, object]) -> int:
            kept.append(event)
            return super()._happened(reader, event)

    both = Both(kind=Keeping)
    both.until(lambda: both.panel.secured)
    both.pd.keys("5")
    both.until(lambda: both.keys == "5")
    assert kept
    assert not any(kept), "every report was emptied"


def test_rubbish_breaks_nothing_and_types_nothing() -> None:
    """2,000 replies, each to a handshake of its own, straight into libosdp's parser."""
    draw = random.Random(20260)
    both = Both(gated=False)
    for _ in range(2000):
        both.panel.restart()
        for _ in range(20):
            both.panel.refresh()
            if both.wire.to_reader:
                both.wire.to_reader.clear()
                break
        both.wire.to_door += [rubbish(draw)]
        for _ in range(4):
            both.panel.refresh()
    assert both.keys == ""
    assert not both.panel.handshaken


def test_replies_spoilt_in_the_middle_of_a_channel_type_nothing_and_it_comes_back() -> None:
    draw = random.Random(7)
    both = Both()

    def spoil(content: bytes) -> bytes:
        at = draw.randrange(len(content))
        return content[:at] + bytes((content[at] ^ draw.randrange(1, 256),)) + content[at + 1 :]

    for _ in range(3):
        both.until(lambda: both.panel.secured)
        both.pd.spoil_next(spoil)
        both.until(lambda: both.pd.spoil is honest)
        both.panel.restart()
    both.until(lambda: both.panel.secured)
    assert both.keys == ""


def rubbish(draw: random.Random) -> bytes:
    """Noise, a frame with a right check and anything in it, or one that is torn."""
    body = draw.randbytes(draw.choice((1, 2, 4, 13, 40, 240)))
    match draw.randrange(4):
        case 0:
            return draw.randbytes(draw.randrange(1, 300))
        case 1:
            return reply(draw.randrange(16), body)[: draw.randrange(5, 50)]
        case 2:
            return reply(0, draw.choice((KEYPAD, b"\x50\x00\x00\x08\x00\x11", b"\x48\x01\x01")))
        case _:
            return reply(draw.randrange(16), body, draw.choice((ADDRESS, 0x7F)))
