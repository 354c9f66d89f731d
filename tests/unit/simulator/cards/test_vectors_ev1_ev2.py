"""DESFire answers what NXP's notes AN12757 (EV1 messaging) and AN12343 (EV2 messaging) print, and what was recorded.

The recorded ones are "DESFire EV1 communication examples" of real cards (sotechcllc/RFDoorLock), figures only.
"""

from __future__ import annotations

import pytest

from tests.unit.simulator.cards.terminal import ZERO, ask, drawn, h, native
from tools.simulator.cards import aes
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.ev1 import Ev1Session
from tools.simulator.cards.ev2 import Ev2Session
from tools.simulator.cards.memory import Application, DataFile, Key, Kind, Mode

AID = 0xAE16
DATA = h("0102030405060708090A0B0C0D0E0F101112131415")
SECRET = h("112233445566778899AABBCCDDEEFF")


def desfire(*random: str, kind: Kind = Kind.DESFIRE_EV1, key: str = "00" * 16) -> SimulatedCard:
    card = SimulatedCard.new(kind, randomness=drawn(*random))
    files = {2: DataFile(bytes(15), 0x0000, Mode.FULL), 3: DataFile(bytes(21), 0x0000, Mode.MAC)}
    card.memory.applications[AID] = Application(0x0F, [Key(h(key), 0x10)] * 3, files)
    assert ask(card, "905A00000316AE0000") == "9100"
    return card


def within(session: str, vector: str = "00" * 16) -> SimulatedCard:
    card = desfire()
    card._field.session = Ev1Session(0, h(session), h(vector))
    return card


@pytest.mark.parametrize(
    ("rnd_b", "key", "transcript", "session"),
    [
        (  # AN12757 table 20
            None,
            "00" * 16,
            [
                ("90AA0000010000", "C5537C8EFFFCC7E152C27831AFD383BA91AF"),
                (
                    "90AF0000201EF512D957973AED7E6E13991EB0FB431B373EA23400A3AC0B7749CD6FB1C32800",
                    "FFC212245F03DB0EA0645A495190952A9100",
                ),
            ],
            "2347C1551EA0353A9D965CA7B52FCA84",
        ),
        (  # recorded
            "C05DDD714FD788A6B7B754F3C4D066E8",
            "00" * 16,
            [
                ("90AA0000010000", "B969FDFE56FD91FC9DE6F6F213B8FD1E91AF"),
                (
                    "90AF00002036AAD7DF6E436BA08D18613830A70D5AD43E3D3F4A8D47541EEE623A934E477400",
                    "800DB680BC146BD121D6578F2D2E20599100",
                ),
            ],
            "F44B26F5C05DDD7110772281C4D066E8",
        ),
        (
            "626FFBD45CAF334ACCA45599304F5B17",
            "10182028303840485058606870788088",
            [
                ("90AA0000010100", "B351CB2465D4F33AC627FD6E87A168F291AF"),
                (
                    "90AF000020044B6CAC343A0865895149649CA8DDE1F5AC4EC67BD208900AF02F049E05F0B000",
                    "A2EE144B1012FBEB7B2F11132D95A4549100",
                ),
            ],
            "40E7D271626FFBD49C530E3D304F5B17",
        ),
    ],
)
@pytest.mark.parametrize("kind", [Kind.DESFIRE_EV1, Kind.DESFIRE_EV2])
def test_authenticate_aes(
    kind: Kind, rnd_b: str | None, key: str, transcript: list[tuple[str, str]], session: str
) -> None:
    rnd_b = rnd_b or aes.decrypt(h(key), ZERO, h(transcript[0][1])[:16]).hex()
    card = desfire(rnd_b, kind=kind, key=key)
    assert [ask(card, command) for command, _ in transcript] == [answer for _, answer in transcript]
    assert isinstance(card._field.session, Ev1Session)
    assert card._field.session.key == h(session)


def test_an12757_tables_23_and_24_a_maced_file() -> None:
    card = within("0AAF803DD2A6252D851B69B9E4F63801")
    write = h("03000000150000") + DATA + h("BEF5B687604234F7")
    assert card.process(native(0x3D, write)) == h("A6589DC8FC47D2E49100")
    assert card.memory.applications[AID].files[3].data == DATA
    read = card.process(native(0xBD, h("03000000150000")))
    assert read == DATA + h("DF5C0EA3D6331E4F9100")


def test_an12757_tables_27_and_28_an_enciphered_file() -> None:
    card = within("227EAC508FB2D130E0451988D51F8DD0")
    write = h("020000000F00009B9915A7572364D05CDF03FBA9B0F69EA88E3C4F0DEE3EDAB9ACC8BE88B7DAC9")
    assert card.process(native(0x3D, write)) == h("B987074D3F60EEF69100")
    assert card.memory.applications[AID].files[2].data == SECRET
    read = card.process(native(0xBD, h("020000000F0000")))
    assert read == h("3C624B56FF16798F960E341E10EEA8CF5155D67AC6273EE5DDEB90E16228DF039100")


def test_recorded_the_version_of_a_key_and_a_new_key_in_one_chain() -> None:
    card = within("90F7A20191036845EC63DECD544B9931")
    assert ask(card, "9064000001" + "00" + "00") == "108A8FA36F55CD210D9100"
    change = "00635375E4919F8AF2E9E86B1C1BA55B0C0807EAF484D7A7EF6E0C3084160F5A61"
    assert card.process(native(0xC4, h(change))) == h("9100")
    assert card.memory.applications[AID].keys[0] == Key(ZERO, 0)


@pytest.mark.parametrize(
    ("session", "command", "answer", "number", "key"),
    [
        (
            "F44B26F5C05DDD7110772281C4D066E8",
            "00E9F85E219496C2B58C1090DC3935FAE9E840CF61B383D9531946256B1F110C10",
            "9100",
            0,
            "00102030405060708090A0B0B0A09080",
        ),
        (
            "C2A1E47BD8100044FE6D00A74D7AB17C",
            "01E7ECCB6BD1CA64BC161A12B1C024F71430337408C8A87EACAB7A1FF18951FCA3",
            "2128D3CD9C9ACFFF9100",
            1,
            "00102030405060708090A0B0B0A09080",
        ),
    ],
)
def test_recorded_new_keys(session: str, command: str, answer: str, number: int, key: str) -> None:
    card = within(session)
    assert card.process(native(0xC4, h(command))) == h(answer)
    assert card.memory.applications[AID].keys[number] == Key(h(key), 0x10)


def test_an12343_table_16_authentication_and_its_session() -> None:
    card = desfire("FA659AD0DCA738DD65DC7DC38612AD81", "8CF141F3", kind=Kind.DESFIRE_EV2)
    assert ask(card, "9071000002000000") == "24677DDBD46349E623798FD729006E7991AF"
    assert (
        ask(card, "90AF0000203B50445F21D21D77D500794DEB245E5A754F5F901844259F4C9B31A5C7335ACD00")
        == "04C6DBD67417ED0D31DDDE4D2E3FFAC2B4B074F638EEF7FFF9254963B65C77599100"
    )
    keys = h("63DC07286289A7A6C0334CA31C314A04"), h("774F26743ECE6AF5033B6AE8522946F6")
    assert card._field.session == Ev2Session(0, *keys, h("8CF141F3"))


def test_an12343_table_40_the_sessions_own_key() -> None:
    keys = h("E156C8522F7C8DC82B0C99BA847DE723"), h("45D50C1570000D2F173DF949288E3CAD")
    session = Ev2Session(0, *keys, h("94297F4D"))
    cryptogram = h("BF5400DC97A1FBD65BE870716D6F11F8161BB4CA472856DB94AB94B2EC1A13E627CE07CF56C11091")
    assert session.new_key(0xC4, b"\x00", cryptogram, None) == Key(h("01234567890123456789012345678901"), 0)


def test_an12343_a_mac_over_a_bare_command() -> None:
    session = Ev2Session(0, ZERO, h("FD9E26C9766F07C1D07106C0F8F3671F"), h("569D4B24"))
    session.request(0x51, b"", h("5CA9EF7C912A391B"), Mode.MAC)


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 32])
def test_a_chain_from_zeros_is_the_standard_cmac(length: int) -> None:
    key, message = bytes(range(16)), bytes(range(length))
    assert aes.chained_cmac(key, ZERO, message) == aes.cmac(key, message)
