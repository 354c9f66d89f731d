"""The answer: believed only by the one door it is for, and only from the authority on that door's label."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import certificates, joining
from device.errors import JoiningRefused
from device.joining import Answer
from tests.unit.joining.papers import DOOR, NOW_UNIX, OTHER_DOOR, Authority, flipped, request

AUTHORITY = Authority.make()
KEY = certificates.new_key()
PUBLIC = certificates.public_part(KEY)
MADE = AUTHORITY.answer(request(KEY))
DATA = MADE.pack()


def believe(answer: Answer) -> None:
    answer.believed(door_id=DOOR, public=PUBLIC, authority=AUTHORITY.der)


def test_an_answer_comes_back_as_it_was_and_is_believed() -> None:
    assert Answer.read(DATA) == MADE
    assert joining.door_of(DATA) == DOOR
    believe(Answer.read(DATA))


def test_every_byte_of_an_answer_counts() -> None:
    for at in range(len(DATA)):
        for by in (1, 0x02, 0x20, 0x80):
            with pytest.raises(JoiningRefused):
                believe(Answer.read(flipped(DATA, at, by)))


def test_not_even_the_bits_that_nobody_signs_may_differ() -> None:
    made = MADE
    while made.certificate[-1] & 1:  # the reader takes unused bits only where they are zero
        made = AUTHORITY.answer(request(KEY))
    signature = certificates.certificate_from_der(made.certificate).signature
    spoiled = made.certificate[: -len(signature) - 1] + b"\x01" + signature
    assert certificates.certificate_from_der(spoiled).signature == signature
    with pytest.raises(JoiningRefused, match="damaged"):
        believe(Answer(DOOR, spoiled, AUTHORITY.der))


@pytest.mark.parametrize("cut", [0, 4, 5, 12, 13, 14, 15, 100, -1])
def test_a_piece_of_an_answer_is_refused(cut: int) -> None:
    with pytest.raises(JoiningRefused):
        Answer.read(DATA[:cut])
    with pytest.raises(JoiningRefused):
        Answer.read(DATA + (DATA[:cut] or b"\0"))


def test_the_answer_of_another_door_is_refused() -> None:
    other = AUTHORITY.answer(request(certificates.new_key(), OTHER_DOOR))
    with pytest.raises(JoiningRefused, match="another door"):
        believe(other)
    with pytest.raises(JoiningRefused, match="another key"):
        believe(Answer(DOOR, other.certificate, other.authority))


def test_a_certificate_for_another_key_is_refused() -> None:
    with pytest.raises(JoiningRefused, match="another key"):
        believe(AUTHORITY.answer(request(certificates.new_key())))


@pytest.mark.parametrize("name", ["00112233445566ab", "00112233445566AA", "manager/somebody", "00112233445566aa "])
def test_a_certificate_with_another_name_is_refused(name: str) -> None:
    made = AUTHORITY.sign(KEY.public_key(), name, days=365)
    with pytest.raises(JoiningRefused, match="another door"):
        believe(Answer(DOOR, made, AUTHORITY.der))


def test_a_swapped_authority_is_refused() -> None:
    swapped = Authority.make()
    with pytest.raises(JoiningRefused, match="another authority"):
        believe(swapped.answer(request(KEY)))


def test_a_certificate_by_another_authority_of_the_same_name_is_refused() -> None:
    forged = Authority.make().answer(request(KEY))
    with pytest.raises(JoiningRefused, match="not signed"):
        believe(Answer(DOOR, forged.certificate, AUTHORITY.der))


def test_the_signature_is_what_holds_a_forgery_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault seeded: without the question who signed it, anybody's certificate would do."""
    forged = Answer(DOOR, Authority.make().answer(request(KEY)).certificate, AUTHORITY.der)
    with pytest.raises(JoiningRefused):
        believe(forged)

    class Gullible:
        def __init__(self, found: object) -> None:
            self._found = found

        def __getattr__(self, name: str) -> object:
            return (lambda _signer: None) if name == "verify_directly_issued_by" else getattr(self._found, name)

    read = certificates.certificate_from_der
    monkeypatch.setattr(certificates, "certificate_from_der", lambda content: Gullible(read(content)))
    believe(forged)


def test_a_self_signed_certificate_is_refused() -> None:
    own = Authority.make("00112233445566aa", key=KEY)
    with pytest.raises(JoiningRefused, match="not signed"):
        believe(Answer(DOOR, own.der, AUTHORITY.der))


def test_an_answer_without_a_certificate_holds_no_authority_either() -> None:
    empty = Answer(DOOR)
    assert Answer.read(empty.pack()) == empty
    with pytest.raises(JoiningRefused):
        Answer(DOOR, b"", AUTHORITY.der).pack()
    with pytest.raises(JoiningRefused):
        believe(empty)  # a door with a broker waits for a certificate


@given(st.binary(max_size=300) | st.binary(max_size=200).map(lambda rest: b"DWJA\x01" + DOOR + rest))
def test_whatever_is_read_as_an_answer_is_not_believed(data: bytes) -> None:
    with pytest.raises(JoiningRefused):
        believe(Answer.read(data))


def test_a_request_is_no_answer_and_an_answer_no_request() -> None:
    made = request(KEY).pack(bytes(32))
    with pytest.raises(JoiningRefused):
        Answer.read(made)
    with pytest.raises(JoiningRefused):
        joining.Request.read(DATA, bytes(32))


def test_a_certificate_is_over_at_its_end() -> None:
    found = certificates.certificate_from_der(AUTHORITY.answer(request(KEY), days=30).certificate)
    assert not certificates.ended(found, NOW_UNIX + 30 * 86400 - 1)
    assert certificates.ended(found, NOW_UNIX + 30 * 86400)
