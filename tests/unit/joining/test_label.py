"""The label: one text for one label, and nothing else is one."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from device import joining
from device.errors import JoiningRefused
from device.joining import Label
from tests.unit.joining.papers import DOOR, HOUR, MANAGER_KEY, NOW_UNIX, SECRET, Authority, flipped, label

AUTHORITY = Authority.make()
ALPHANUMERIC = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")  # ISO/IEC 18004, 7.3.4


def data_of(text: str) -> bytes:
    body = text.removeprefix("DW1:")
    return base64.b32decode(body + "=" * (-len(body) % 8))


def text_of(data: bytes) -> str:
    return "DW1:" + base64.b32encode(data).decode().rstrip("=")


@given(
    door=st.binary(min_size=8, max_size=8),
    secret=st.binary(min_size=16, max_size=16),
    seed=st.binary(min_size=32, max_size=32),
    hour=st.integers(0, 2**32 - 1),
    host=st.from_regex(r"[A-Za-z0-9_.:-]{1,255}", fullmatch=True),
    ports=st.tuples(st.integers(1, 65535), st.integers(0, 65535)),
    broker=st.booleans(),
)
def test_a_label_comes_back_as_it_was(
    door: bytes, secret: bytes, seed: bytes, hour: int, host: str, ports: tuple[int, int], broker: bool
) -> None:
    key = bytes(SigningKey(seed).verify_key)
    more = (AUTHORITY.der, host, *ports) if broker else ()
    made = Label(door, secret, key, hour, *more)
    assert Label.read(made.text()) == made
    assert set(made.text()) <= ALPHANUMERIC


@pytest.mark.parametrize("authority", [AUTHORITY, None])
def test_every_byte_of_a_label_counts(authority: Authority | None) -> None:
    data = data_of(label(authority).text())
    for at in range(len(data)):
        for by in (1, 0x80, 0xFF):
            with pytest.raises(JoiningRefused):
                Label.read(text_of(flipped(data, at, by)))


def test_every_letter_of_a_label_counts() -> None:
    made = label(AUTHORITY)
    text = made.text()
    for at in range(len(text)):
        for letter in "A7" if text[at] not in "A7" else "B6":
            with pytest.raises(JoiningRefused):
                Label.read(text[:at] + letter + text[at + 1 :])
        with pytest.raises(JoiningRefused):
            Label.read(text[:at] + text[at + 1 :])


def test_the_check_is_what_finds_a_wrong_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault seeded: without the check a label with another secret would be read."""
    data = data_of(label(None).text())
    with pytest.raises(JoiningRefused):
        Label.read(text_of(flipped(data, 10)))
    monkeypatch.setattr(joining, "_check", lambda _packed: data[-4:])
    assert Label.read(text_of(flipped(data, 10))).secret != SECRET


def test_blanks_line_ends_and_small_letters_do_no_harm() -> None:
    made = label(AUTHORITY)
    text = made.text()
    lines = "\r\n ".join(text[at : at + 40] for at in range(0, len(text), 40))
    assert Label.read(f"\n\t{lines.lower()} \n") == made


@pytest.mark.parametrize(
    "text", ["", "DW1:", "DW2:AAAA", "dw1:aaaaaaaa", "x" * 5000, "DW1:" + "Ä" * 9, "DW1:1089====", "\0"]
)
def test_what_is_no_label_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(JoiningRefused, match="label"):
        Label.read(text)


@given(st.text(max_size=300) | st.binary(max_size=200).map(lambda data: text_of(data + joining._check(data))))
def test_whatever_is_read_is_a_label_or_refused(text: str) -> None:
    try:
        found = Label.read(text)
    except JoiningRefused:
        return
    assert Label.read(found.text()) == found


def test_another_version_is_refused_by_its_number() -> None:
    data = b"\x02" + data_of(label(None).text())[1:-4]
    with pytest.raises(JoiningRefused, match="version 2"):
        Label.read(text_of(data + joining._check(data)))


def test_a_label_that_goes_on_after_its_end_is_refused() -> None:
    data = data_of(label(None).text())[:-4] + b"\x00"
    with pytest.raises(JoiningRefused, match="after its end"):
        Label.read(text_of(data + joining._check(data)))


@pytest.mark.parametrize(
    "changes",
    [
        {"door_id": b"1234567"},
        {"secret": b""},
        {"manager_key": bytes(31)},
        {"manager_key": b"\xff" * 32},
        {"expires_hour": -1},
        {"expires_hour": 2**32},
        {"port": 0},
        {"port": 65536},
        {"claim_port": -1},
        {"host": "a b"},
        {"host": "a/b"},
        {"host": "ä"},
        {"host": ""},
        {"authority": b""},
        {"authority": b"no certificate"},
        {"authority": b"x" * 2000},
    ],
)
def test_a_label_that_no_door_could_use_cannot_be_made(changes: dict[str, object]) -> None:
    with pytest.raises(JoiningRefused):
        label(AUTHORITY, **changes)


@pytest.mark.parametrize("changes", [{"port": 1}, {"claim_port": 1}, {"authority": AUTHORITY.der}])
def test_without_a_broker_nothing_of_a_broker_stands_on_a_label(changes: dict[str, object]) -> None:
    with pytest.raises(JoiningRefused):
        label(None, **changes)


def test_the_longest_label_fits_the_largest_code_and_is_read() -> None:
    """A QR code of version 40 takes 4296 alphanumeric characters (ISO/IEC 18004, table 7), and `read` 4096."""
    made = label(AUTHORITY, host="a" * 255)
    longest = len(made.text()) + (joining.LARGEST_CERTIFICATE - len(AUTHORITY.der)) * 8 // 5 + 1
    assert longest < min(4296, joining.LARGEST_LABEL_TEXT)
    assert Label.read(made.text()) == made


def test_the_secret_shows_in_no_repr_and_no_error() -> None:
    made = label(AUTHORITY)
    assert SECRET.hex() not in repr(made)
    assert repr(SECRET) not in repr(made)
    with pytest.raises(JoiningRefused) as refused:
        Label.read(made.text()[:-1])
    assert not re.search(r"[A-Z2-7]{20}", str(refused.value) + repr(refused.value.__context__))


def test_a_label_is_over_at_the_hour_it_names() -> None:
    made = Label(DOOR, SECRET, MANAGER_KEY, HOUR)
    assert not made.expired(NOW_UNIX)
    assert not made.expired(HOUR * 3600 - 1)
    assert made.expired(HOUR * 3600)


def test_the_broker_is_a_setting_of_door_toml() -> None:
    assert label(None).broker == ""
    assert label(AUTHORITY).broker == "mqtts://broker.example:8883"
    assert label(AUTHORITY, host="fd00::1").broker == "mqtts://[fd00::1]:8883"
