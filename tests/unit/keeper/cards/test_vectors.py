"""What NXP and NIST publish, and what real cards were heard to say."""

from __future__ import annotations

import pytest

from device.errors import KeyFault
from device.keeper.cards import ev1, ev2
from device.keeper.cards.aes import cmac, decipher, encipher
from device.keeper.cards.diversify import CardKeys, diversified
from device.keeper.cards.ev1 import Ev1Session, crc32
from device.keeper.cards.ev2 import Ev2Session, session_keys
from device.keeper.cards.registered import CardKind
from device.keeper.cards.session import Mode
from device.keeper.cards.steps import Answer, CardRefused, Draw, Steps, Transmit

ZERO_KEY = bytes(16)


def h(text: str) -> bytes:
    return bytes.fromhex(text)


def answer(text: str) -> Answer:
    raw = h(text)
    return Answer(raw[:-2], int.from_bytes(raw[-2:], "big"))


def scripted(steps: Steps[Ev1Session] | Steps[Ev2Session], *script: tuple[str, str]) -> Ev1Session | Ev2Session:
    """Run `steps` against (command, answer) pairs."""
    told: bytes | None = None
    try:
        for command, reply in script:
            assert steps.send(told) == Transmit(h(command))
            told = h(reply)
        steps.send(told)
    except StopIteration as end:
        session: Ev1Session | Ev2Session = end.value
        return session
    raise AssertionError("one command too many")


def fixed(text: str) -> Draw:
    return lambda size: h(text) if size == 16 else b""


@pytest.mark.parametrize(
    ("length", "mac"),
    [
        (0, "bb1d6929e95937287fa37d129b756746"),
        (16, "070a16b46b4d4144f79bdd9dd04a287c"),
        (40, "dfa66747de9ae63030ca32611497c827"),
        (64, "51f0bebf7e3b9d92fc49741779363cfe"),
    ],
)
def test_cmac_is_that_of_rfc_4493(length: int, mac: str) -> None:
    message = h(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
    )
    assert cmac(h("2b7e151628aed2a6abf7158809cf4f3c"), message[:length]) == h(mac)


def test_cbc_is_that_of_sp_800_38a() -> None:
    key, iv = h("2b7e151628aed2a6abf7158809cf4f3c"), bytes(range(16))
    plain, sealed = h("6bc1bee22e409f96e93d7e117393172a"), h("7649abac8119b246cee98e9b12e9197d")
    assert encipher(key, plain, iv) == sealed
    assert decipher(key, sealed, iv) == plain


# NXP AN10922, section 2.2.1.


def test_a_key_is_diversified_as_an10922_shows() -> None:
    master, message = h("00112233445566778899aabbccddeeff"), h("04782e21801d803042f54e585020416275")
    assert diversified(master, message) == h("a8dd63a3b89d54b37ca802473fda9175")


@pytest.mark.parametrize("size", [0, 15, 32])
def test_an_input_that_an10922_pads_otherwise_is_refused(size: int) -> None:
    with pytest.raises(KeyFault):
        diversified(ZERO_KEY, bytes(size))


def test_every_part_of_the_input_changes_the_key() -> None:
    keys, uid = CardKeys(bytes(range(16)), bytes(8)), h("04782e21801d80")
    others = [
        keys.key(CardKind.DESFIRE_EV1, uid, 1),
        keys.key(CardKind.NTAG_424, uid, 1),
        keys.key(CardKind.DESFIRE_EV1, uid, 2),
        keys.key(CardKind.DESFIRE_EV1, uid[:-1] + b"\x81", 1),
        CardKeys(bytes(range(16)), b"1" * 8).key(CardKind.DESFIRE_EV1, uid, 1),
        CardKeys(bytes(range(1, 17)), bytes(8)).key(CardKind.DESFIRE_EV1, uid, 1),
    ]
    assert len(set(others)) == len(others)


def test_keys_do_not_say_their_master() -> None:
    assert MASTER_TEXT not in repr(CardKeys(h(MASTER_TEXT), bytes(8)))
    assert repr(h(MASTER_TEXT)) not in repr(CardKeys(h(MASTER_TEXT), bytes(8)))


MASTER_TEXT = "61626364656667686970717273747576"


def test_a_doors_application_is_where_nothing_is_registered() -> None:
    aids = {CardKeys(ZERO_KEY, number.to_bytes(8, "big")).aid for number in range(300)}
    assert all(len(aid) == 3 and aid[2] >> 4 == 0xD for aid in aids)
    assert len(aids) > 290


@pytest.mark.parametrize(("master", "door"), [(15, 8), (16, 7), (32, 8)])
def test_keys_of_another_length_are_refused(master: int, door: int) -> None:
    with pytest.raises(KeyFault):
        CardKeys(bytes(master), bytes(door))


# DESFire EV1: messages of a real card, published as "DESFire EV1 communication examples" and used as tests by public
# libraries (pydesfire among them).


def test_ev1_authenticates_as_a_real_card_was_heard_to() -> None:
    session = scripted(
        ev1.authenticate(ZERO_KEY, fixed("f44b26f5686f3a391cd38ebd10772281")),
        ("90aa0000010000", "b969fdfe56fd91fc9de6f6f213b8fd1e91af"),
        (
            "90af00002036aad7df6e436ba08d18613830a70d5ad43e3d3f4a8d47541eee623a934e477400",
            "800db680bc146bd121d6578f2d2e20599100",
        ),
    )
    assert isinstance(session, Ev1Session)
    assert session._key == h("f44b26f5c05ddd7110772281c4d066e8")


def test_ev1_changes_a_key_as_a_real_card_was_heard_to() -> None:
    session = Ev1Session(h("f44b26f5c05ddd7110772281c4d066e8"))
    # The trace gives the key version 10 hex, this door 1: so its cryptogram is compared up to the version.
    plain = h("00102030405060708090a0b0b0a0908010")
    assert crc32(b"\xc4\0" + plain) == h("d2c6e66b")
    assert encipher(session._key, (plain + h("d2c6e66b")).ljust(32, b"\0")) == h(
        "e9f85e219496c2b58c1090dc3935fae9e840cf61b383d9531946256b1f110c10"
    )
    sent = session.change_key(plain[:16])
    assert sent[:6] == h("90c400002100")
    assert decipher(session._key, sent[6:-1])[:17] == plain[:16] + b"\1"


def test_ev1_messages_are_one_chain_as_a_real_card_was_heard_to() -> None:
    session = scripted(
        ev1.authenticate(h("10182028303840485058606870788088"), fixed("40e7d27174cba675e8efbab99c530e3d")),
        ("90aa0000010000", "b351cb2465d4f33ac627fd6e87a168f291af"),
        (
            "90af000020044b6cac343a0865895149649ca8dde1f5ac4ec67bd208900af02f049e05f0b000",
            "a2ee144b1012fbeb7b2f11132d95a4549100",
        ),
    )
    content = bytes(range(80))
    for instruction, header, data, mac in (
        (0xCD, h("05001100500000"), b"", "a75316ad1596b953"),
        (0x6F, b"", b"\x05", "2d5ff67ffec9d2d3"),
        (0xF5, b"\x05", h("00001100500000"), "2aac7517024e09dc"),
        (0x3D, h("05000000340000") + content[:52], b"", "765c9daa50ecb62f"),
        (0x3D, h("053400001c0000") + content[52:], b"", "3e0aed986b8b0f37"),
        (0xBD, h("05000000300000"), content[:48], "4c65f1f842262bac"),
        (0xBD, h("05300000200000"), content[48:], "f02205cf913c03c9"),
    ):
        session.command(instruction, header, b"", Mode.MAC)
        assert session.answer(Answer(data + h(mac), 0x9100), len(data), Mode.MAC) == data


# NXP AN12196 (NTAG 424 DNA): tables 14, 18/19, 26/27, 28 and section 5.3.


def test_ev2_authenticates_as_an12196_shows() -> None:
    session = scripted(
        ev2.authenticate(ZERO_KEY, fixed("13c5db8a5930439fc3def9a4c675360f")),
        ("9071000002000000", "a04c124213c186f22399d33ac2a3021591af"),
        (
            "90af00002035c3e05a752e0144bac0de51c1f22c56b34408a23d8aea266cab947ea8e0118d00",
            "3fa64db5446d1f34cd6ea311167f5e4985b89690c04a05f17fa7ab2f081206639100",
        ),
    )
    assert isinstance(session, Ev2Session)
    assert session._enc == h("1309c877509e5a215007ff0ed19ca564")
    assert session._mac == h("4c6626f5e72ea694202139295c7a7fc7")
    assert session._ti == h("9d00c4df")


def test_ev2_session_keys_are_those_of_an12343() -> None:
    """DESFire Light, pages 33 and 34: the same for a card of the DESFire family."""
    ours, theirs = h("b04d0787c93ee0cc8cacc8e86f16c6fe"), h("fa659ad0dca738dd65dc7dc38612ad81")
    assert session_keys(ZERO_KEY, ours, theirs) == (
        h("63dc07286289a7a6c0334ca31c314a04"),
        h("774f26743ece6af5033b6ae8522946f6"),
    )


def test_ev2_mac_mode_is_that_of_an12196() -> None:
    session = Ev2Session(ZERO_KEY, h("8248134a386e86eb7faf54a52e536cb6"), h("7a21085e"))
    assert session.command(0xF5, b"\x02", b"", Mode.MAC) == h("90f5000009026597a457c8cd442c00")
    told = session.answer(
        answer("0040eeee000100d1fe001f00004400004400002000006a00002a474282e7a479869100"), 25, Mode.MAC
    )
    assert told == h("0040eeee000100d1fe001f00004400004400002000006a0000")


def test_ev2_full_mode_is_that_of_an12196_for_writing() -> None:
    session = Ev2Session(h("7a93d6571e4b180fca6ac90c9a7488d4"), h("fc4af159b62e549b5812394cab1918cc"), h("7614281a"))
    sent = session.command(0x8D, h("030000000a0000"), h("0102030405060708090a"), Mode.FULL)
    assert sent == h("908d00001f030000000a00006b5e6804909962fc4e3ff5522cf0f8436c0c53315b9c73aa00")
    assert session.answer(answer("c26d236e4a7c046d9100"), 0, Mode.FULL) == b""


def test_ev2_full_mode_is_that_of_an12196_for_reading() -> None:
    session = Ev2Session(h("2b4d963c014dc36f24f69a50a394f875"), h("379d32130ce61705dd5fd8c36b95d764"), h("df055522"))
    assert session.command(0x51, b"", b"", Mode.FULL) == h("90510000088e2c155adda99be300")
    told = session.answer(answer("70756055688505b52a5e26e59e329cd6595f672298ea41b79100"), 7, Mode.FULL)
    assert told == h("04958caa5c5e80")


def test_ev2_changes_settings_as_an12196_shows() -> None:
    session = Ev2Session(
        h("1309c877509e5a215007ff0ed19ca564"), h("4c6626f5e72ea694202139295c7a7fc7"), h("9d00c4df"), counter=1
    )
    sent = session.command(0x5F, b"\x02", h("4000e0c1f121200000430000430000"), Mode.FULL)
    assert sent == h("905f0000190261b6d97903566e84c3ae5274467e89ead799b7c1a0ef7a0400")
    assert session.answer(answer("57bff87b1241e93d9100"), 0, Mode.FULL) == b""


def test_ev2_changes_its_own_key_as_an12196_shows() -> None:
    session = Ev2Session(
        h("4cf3cb41a22583a61e89b158d252fc53"), h("5529860b2fc5fb6154b7f28361d30bf9"), h("7614281a"), counter=3
    )
    assert session.change_key(h("5004bf991f408672b1ef00f08f9e8647")) == h(
        "90c400002900c0eb4deefeddf0b513a03a95a75491818580503190d4d05053ff75668a01d6fda6610234bded643200"
    )


@pytest.mark.parametrize(
    "told",
    [
        "70756055688505b52a5e26e59e329cd6595f672298ea41b69100",  # another MAC
        "71756055688505b52a5e26e59e329cd6595f672298ea41b79100",  # other data
        "595f672298ea41b79100",  # nothing but the MAC
        "70756055688505b52a5e26e59e329cd6595f672298ea41b791ae",  # another status
        "9100",
    ],
)
def test_an_answer_that_is_not_as_the_card_made_it_is_refused(told: str) -> None:
    session = Ev2Session(h("2b4d963c014dc36f24f69a50a394f875"), h("379d32130ce61705dd5fd8c36b95d764"), h("df055522"))
    session.command(0x51, b"", b"", Mode.FULL)
    with pytest.raises(CardRefused):
        session.answer(answer(told), 7, Mode.FULL)
