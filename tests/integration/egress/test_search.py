"""What is searched is found however it is wrapped, and what is not there is found as seldom as was computed."""

import base64
import gzip
import math
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.egress import canaries, correlation, search, unwrap, views
from tools.egress.canaries import Canary, Form, Vector
from tools.egress.correlation import Series
from tools.egress.search import Sought
from tools.egress.views import Views

PIN = "5820317469"
BYTES = st.binary(max_size=40)


def face(seed: int = 1) -> Vector:
    numbers = np.random.default_rng(seed).standard_normal(128).astype(np.float32)
    return np.asarray(numbers / np.linalg.norm(numbers), dtype=np.float32)


def found(text: bytes, *plain: Canary, faces: dict[str, Vector] | None = None) -> frozenset[str]:
    return search.search(Views(texts={text: "a text"}), Sought.of(plain, faces or {})).found


# ---- forms


@given(BYTES, st.binary(min_size=6, max_size=24), BYTES, st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]))
def test_base64_around_a_secret_is_found_at_every_place(
    before: bytes, inside: bytes, after: bytes, encode: Callable[[bytes], bytes]
) -> None:
    text = encode(before + inside + after)
    forms = canaries.secret("it", inside).forms
    assert any(form.content in text for form in forms if "base64" in form.name)


@pytest.mark.parametrize("text", ["x7391", "a7391", "73910", "17391", "deadbeef7391", "7391ff"])
def test_a_short_number_inside_a_longer_one_counts_only_where_it_is_a_word(text: str) -> None:
    assert (found(text.encode(), canaries.digits("slot", "7391")) == {"slot"}) is (text == "x7391")


@pytest.mark.parametrize("text", [b'{"n":7391}', b"7391", b" 7391.0 ", b'"slot-7391"', "7391".encode("utf-16")])
def test_a_short_number_by_itself_is_found(text: bytes) -> None:
    assert found(text, canaries.digits("slot", "7391"))


def test_a_number_as_binary_is_found() -> None:
    assert found(b"\x01" + (7391).to_bytes(4, "little") + b"\x02", canaries.digits("slot", "7391"))
    assert found(b"\x01" + int(PIN).to_bytes(8, "big"), canaries.digits("pin", PIN))


# ---- wrapping


def packed(data: bytes) -> bytes:
    machine = zlib.compressobj(9, zlib.DEFLATED, -15)
    squeezed: bytes = machine.compress(data) + machine.flush()
    return squeezed


WRAPS: dict[str, Callable[[bytes], bytes]] = {
    "base64": base64.b64encode,
    "hex": lambda data: data.hex().encode(),
    "zlib": zlib.compress,
    "gzip": gzip.compress,
    "deflate": packed,
    "reversed": lambda data: data[::-1],
    "utf-16": lambda data: data.decode("latin-1").encode("utf-16-le"),
}


@given(st.sampled_from(sorted(WRAPS)), BYTES, BYTES)
def test_one_wrapping_anywhere_is_taken_off(wrap: str, before: bytes, after: bytes) -> None:
    inside = b"the pin is " + PIN.encode() + b" and the pin is " + PIN.encode()
    wrapped = WRAPS[wrap](inside)
    # A letter beside base64 or hexadecimal belongs to it as far as anybody can tell, so its group may be another.
    assert any(PIN.encode() in each for each in unwrap.everything([before + b"\n" + wrapped + b"\n" + after]))


@pytest.mark.parametrize("wrap", ["zlib", "gzip", "deflate"])
def test_compression_inside_base64_and_a_stream_that_is_cut_are_taken_off(wrap: str) -> None:
    inside = PIN.encode() * 3 + bytes(range(200))
    squeezed = WRAPS[wrap](inside)
    assert found(b'{"x":"' + base64.b64encode(squeezed) + b'"}', canaries.digits("pin", PIN))
    assert found(b"abc" + squeezed[:60], canaries.digits("pin", PIN))


def test_without_the_unwrapping_a_compressed_secret_would_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    text = zlib.compress(b"pin " + PIN.encode() + b" pin " + PIN.encode() + b" pin")
    assert found(text, canaries.digits("pin", PIN))
    monkeypatch.setattr(unwrap, "inflated_of", lambda _text: ())
    assert not found(text, canaries.digits("pin", PIN))


def test_what_two_messages_say_together_is_read() -> None:
    seen = views.Views()
    views._messages(seen, "t", [b'{"a":1,"x":"58203"}   ', b'{"a":2,"x":"17469"}   '])
    assert search.search(seen, Sought.of([canaries.digits("pin", PIN)], {})).found == {"pin"}
    views._messages(other := views.Views(), "t", [b"padding   58203", b"17469   padding"])
    assert search.search(other, Sought.of([canaries.digits("pin", PIN)], {})).found == {"pin"}


def test_a_face_that_is_told_a_number_a_message_is_found() -> None:
    seen = views.Views()
    payloads = [b'{"seq":%d,"count":%d}' % (at, round(float(x) * 40)) for at, x in enumerate(face())]
    views._messages(seen, "t", payloads)
    assert search.search(seen, Sought.of([], {"face": face()})).found == {"face"}


@pytest.mark.parametrize("wild", [b"1e999", b"-1e999", b"NaN", b"Infinity", b"1" + b"0" * 400, b"[" * 3000])
def test_numbers_beyond_all_bounds_hide_nothing_and_stop_nothing(wild: bytes) -> None:
    seen = views.Views()
    text = str([round(float(x), 2) for x in face()]).encode()
    views._messages(seen, "t", [b'{"x":' + wild + b"}"] * 40 + [b'{"y":[' + wild + b"]," + text])
    assert search.search(seen, Sought.of([], {"face": face()})).found == {"face"}


# ---- faces


def quantized(scale: float, shift: float = 0.0) -> bytes:
    numbers = np.clip(np.rint(face() * scale + shift), -128, 127).astype(np.int8)
    return bytes(numbers.tobytes())


@pytest.mark.parametrize(
    "text",
    [
        quantized(300),
        quantized(-217, 9),
        quantized(300)[40:72],
        quantized(20),
        (face() * 3 - 1).astype("<f2").tobytes(),
        b"\1" + face()[::1].astype(">f4").tobytes(),
        np.sign(face()).astype(np.int8).tobytes(),
        (np.rint(face() * 30000)).astype("<i2").tobytes(),
        str([round(float(x), 2) for x in face()]).encode(),
    ],
)
def test_a_face_is_found_however_it_was_scaled_shifted_or_rounded(text: bytes) -> None:
    noise = np.random.default_rng(5).integers(0, 256, 300, dtype=np.uint8).tobytes()
    seen = views.of_files([("file", noise + b" " + text + b" " + noise)])
    assert search.search(seen, Sought.of([], {"face": face()})).found == {"face"}


def test_another_face_is_not_found() -> None:
    for seed in range(2, 12):
        assert not found(quantized(300) + b'{"v":2,"kind":"report"}' * 20, faces={"face": face(seed)})


def test_the_bound_is_the_exact_one() -> None:
    """Critical values of Pearson's r for 30 and 62 degrees of freedom, two-sided, as tables print them."""
    assert correlation.tail(0.3494, 32) == pytest.approx(0.05, rel=2e-3)
    assert correlation.tail(0.4487, 32) == pytest.approx(0.01, rel=2e-3)
    limit = correlation.bounds(1000, rate=0.05)
    for length, bound in limit.numbers.items():
        assert correlation.tail(bound, length) == pytest.approx(0.05 / 1000, rel=1e-6)


def test_false_alarms_are_as_rare_as_computed_and_common_without_the_bound() -> None:
    """The tail against what happens: 40,000 correlations of normal numbers with the windows of a report."""
    text = b'{"v":2,"kind":"report","door":"00aa11bb22cc33dd","run":"5e0f81c2","seq":17,"lock":true}'
    window = np.frombuffer(text[:32], np.uint8).astype(np.float64)
    window = (window - window.mean()) / np.linalg.norm(window - window.mean())
    numbers = np.random.default_rng(8).standard_normal((40_000, 32))
    centred = numbers - numbers.mean(axis=1, keepdims=True)
    r = np.abs(centred @ window) / np.linalg.norm(centred, axis=1)
    for bound in (0.35, 0.45, 0.55):
        expected = 40_000 * correlation.tail(bound, 32)
        assert abs(int((r > bound).sum()) - expected) < 5 * math.sqrt(expected) + 1
    read = [Series("u1", np.frombuffer(text, np.uint8).astype(np.float64))]
    vectors = {"face": face(3).astype(np.float64)}
    assert correlation.alike(read, vectors)[0] == []
    assert correlation.alike(read, vectors, rate=1e12)[0], "with the bound taken away everything is like a face"


# ---- chance

LETTERS = {
    "bytes": bytes(range(256)),
    "base64": bytes(sorted(canaries.BASE64 - {ord("-"), ord("_")})),
    "hex": b"0123456789abcdef",
    "decimal": b"0123456789",
}


@pytest.mark.parametrize("kind", sorted(LETTERS))
def test_hits_by_chance_are_as_many_as_computed(kind: str) -> None:
    """A canary far too short, in a million random letters of each kind: as many hits as `by_chance` says."""
    drawn = np.random.default_rng(3).integers(0, len(LETTERS[kind]), 1_000_000)
    text = np.frombuffer(LETTERS[kind], np.uint8)[drawn].tobytes()
    form = Form("text", b"481"[: 2 if kind == "bytes" else 3])
    places = len(text) - len(form.content) + 1
    expected = places * form.chances[kind]
    assert expected > 3
    assert abs(text.count(form.content) - expected) < 5 * math.sqrt(expected)
    assert search.by_chance([text], [Canary("short", (form,))]) >= expected * 0.99


def test_a_word_in_many_copies_of_one_message_is_one_chance_and_two_words_are_two() -> None:
    slot = Canary("slot", (Form("text", b"7391", word=True),))
    one = search.by_chance([b"x1234y"], [slot])
    assert one > 0
    assert search.by_chance([b"x1234y", b"<x1234y>", b"y1234x"], [slot]) == pytest.approx(one, rel=0.01)
    assert search.by_chance([b"x1234y", b"x1235y"], [slot]) == pytest.approx(2 * one, rel=0.01)


def test_a_search_for_something_too_short_is_not_conclusive() -> None:
    noise = np.random.default_rng(4).integers(0, 256, 5000, dtype=np.uint8).tobytes()
    short = Canary("short", (Form("text", b"48"),))
    assert not search.search(Views(frames={noise: "noise"}), Sought((short,))).conclusive
    assert search.search(Views(frames={noise: "noise"}), Sought.of([canaries.digits("pin", PIN)], {})).conclusive


@pytest.mark.parametrize("wrong", ["", "12a", "\uff11\uff12\uff13\uff14"])
def test_what_is_not_digits_is_no_canary_of_digits(wrong: str) -> None:
    with pytest.raises(ValueError, match="is not made of digits"):
        canaries.digits("it", wrong)


@settings(max_examples=50)
@given(st.binary(max_size=300))
def test_any_text_is_unwrapped_without_trouble(text: bytes) -> None:
    assert text in unwrap.everything([text])
