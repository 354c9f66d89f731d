"""The card answers what NXP's note AN12196 (NTAG 424 DNA, rev. 2.0) prints, byte for byte."""

from __future__ import annotations

import pytest

from tests.unit.simulator.cards.terminal import NTAG_NAME, ask, drawn, h
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.ev2 import Ev2Session, session_keys
from tools.simulator.cards.memory import DataFile, Kind, Mode

UID = h("04958CAA5C5E80")
# The text of table 15 and zeros: what table 17 writes to the file of the address.
ADDRESS = (
    h("0051D1014D550463686F6F73652E75726C2E636F6D2F6E7461673432343F653D") + b"0" * 32 + b"&c=" + b"0" * 16
).ljust(0x80, b"\x00")
TABLE_17 = (
    "908D00009F02000000800000421C73A27D827658AF481FDFF20A5025B559D0E3AA21E58D347F343CFFC768BFE596C706BC00F2176781D4B0"
    "242642A0FF5A42C461AAF894D9A1284B8C76BCFA658ACD40555D362E08DB15CF421B51283F9064BCBE20E96CAE545B407C9D651A3315B273"
    "73772E5DA2367D2064AE054AF996C6F1F669170FA88CE8C4E3A4A7BBBEF0FD971FF532C3A802AF745660F2B4D1D9A8499661EBF300"
)


def test_table_14_and_17_authentication_with_key_0_and_an_enciphered_write() -> None:
    card = SimulatedCard.new(Kind.NTAG424, UID, randomness=drawn("B9E2FC789B64BF237CCCAA20EC7E6E48", "9D00C4DF"))
    card.memory.applications[1].files[2] = DataFile(bytes(256), 0xE000, Mode.FULL)
    for command, answer in [
        (NTAG_NAME, "9000"),
        ("9071000002000000", "A04C124213C186F22399D33AC2A3021591AF"),
        (
            "90AF00002035C3E05A752E0144BAC0DE51C1F22C56B34408A23D8AEA266CAB947EA8E0118D00",
            "3FA64DB5446D1F34CD6EA311167F5E4985B89690C04A05F17FA7AB2F081206639100",
        ),
        (TABLE_17, "FC222E5F7A5424529100"),
    ]:
        assert ask(card, command) == answer
    assert card.memory.applications[1].files[2].data == ADDRESS.ljust(256, b"\x00")


def test_tables_19_to_26_one_transaction_with_two_keys_two_writes_and_two_new_keys() -> None:
    random = drawn("91517975190DCEA6104948EFA3085C1B", "7614281A", "6924E8D09722659A2E7DEC68E66312B8")
    card = SimulatedCard.new(Kind.NTAG424, UID, randomness=random)
    for command, answer in [
        ("00A4040C07D276000085010100", "9000"),  # table 22
        ("9071000002030000", "B875CEB0E66A6C5CD00898DC371F92D191AF"),  # table 19
        (
            "90AF000020FF0306E47DFBC50087C4D8A78E88E62DE1E8BE457AA477C707E2F0874916A8B100",
            "0CC9A8094A8EEA683ECAAC5C7BF20584206D0608D477110FC6B3D5D3F65C3A6A9100",
        ),
        ("908D00001F030000000A00006B5E6804909962FC4E3FF5522CF0F8436C0C53315B9C73AA00", "C26D236E4A7C046D9100"),  # 21
        ("90770000010000", "A6A2B3C572D06C097BB8DB70463E22DC91AF"),  # 23
        (
            "90AF000020BE7D45753F2CAB85F34BC60CE58B940763FE969658A532DF6D95EA2773F6E99100",
            "B888349C24B315EAB5B589E279C8263E9100",
        ),
        ("908D000019010E0000120000FF0506E1050080828300000000000000000000", "9100"),  # 24: in plain, and counted
        (
            "90C4000029022CF362B7BF4311FF3BE1DAA295E8C68DE09050560D19B9E16C2393AE9CD1FAC75D0CE20BCD1D06E600",
            "203BB55D1089D5879100",
        ),  # 25
        (
            "90C400002900C0EB4DEEFEDDF0B513A03A95A75491818580503190D4D05053FF75668A01D6FDA6610234BDED643200",
            "9100",
        ),  # 26: the session's own key
    ]:
        assert ask(card, command) == answer
    application = card.memory.applications[1]
    assert application.files[3].data[:10] == h("0102030405060708090A")
    assert application.files[1].data[0x0E:] == h("FF0506E10500808283").ljust(18, b"\x00")
    keys = [(key.value.hex().upper(), key.version) for key in application.keys]
    assert (keys[0], keys[2]) == (("5004BF991F408672B1EF00F08F9E8647", 1), ("F3847D627727ED3BC9C4CC050489B966", 1))
    assert ask(card, "90510000088E2C155ADDA99BE300") == "91AE", "the session ended with its key"


def test_table_7_settings_of_a_file_under_a_mac() -> None:
    session = Ev2Session(0, bytes(16), h("8248134A386E86EB7FAF54A52E536CB6"), h("7A21085E"))
    session.request(0xF5, b"\x02", h("6597A457C8CD442C"), Mode.MAC)
    told = h("0040EEEE000100D1FE001F00004400004400002000006A0000")
    assert session.answer(told, Mode.MAC) == told + h("2A474282E7A47986")


def test_table_18_new_settings_of_a_file_enciphered() -> None:
    keys = session_keys(bytes(16), h("13C5DB8A5930439FC3DEF9A4C675360F"), h("B9E2FC789B64BF237CCCAA20EC7E6E48"))
    assert [key.hex().upper() for key in keys] == [
        "1309C877509E5A215007FF0ED19CA564",
        "4C6626F5E72EA694202139295C7A7FC7",
    ]
    session = Ev2Session(0, *keys, h("9D00C4DF"), counter=1)
    cryptogram = h("61B6D97903566E84C3AE5274467E89EAD799B7C1A0EF7A04")
    assert session.receive(0x5F, b"\x02", cryptogram, Mode.FULL, 15) == h("4000E0C1F121200000430000430000")
    assert session.answer(b"", Mode.FULL) == h("57BFF87B1241E93D")


def test_table_28_the_number_enciphered() -> None:
    card = SimulatedCard.new(Kind.NTAG424, UID)
    ask(card, NTAG_NAME)
    keys = h("2B4D963C014DC36F24F69A50A394F875"), h("379D32130CE61705DD5FD8C36B95D764")
    card._field.session = Ev2Session(0, *keys, h("DF055522"))
    assert ask(card, "90510000088E2C155ADDA99BE300") == "70756055688505B52A5E26E59E329CD6595F672298EA41B79100"


@pytest.mark.parametrize("at", range(5, 5 + 32))
def test_a_single_wrong_bit_in_the_proof_is_no_authentication(at: int) -> None:
    card = SimulatedCard.new(Kind.NTAG424, UID, randomness=drawn("B9E2FC789B64BF237CCCAA20EC7E6E48", "9D00C4DF"))
    ask(card, NTAG_NAME)
    ask(card, "9071000002000000")
    proof = bytearray(h("90AF00002035C3E05A752E0144BAC0DE51C1F22C56B34408A23D8AEA266CAB947EA8E0118D00"))
    proof[at] ^= 1
    assert card.process(bytes(proof)) == h("91AE")
