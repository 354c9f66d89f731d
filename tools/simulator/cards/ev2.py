"""EV2 secure messaging after AuthenticateEV2First (NT4H2421Gx section 9.1, AN12196, AN12343).

Rules kept here:
- A transaction identifier and a counter of commands go into every MAC and every vector: a command that was heard once
  is worth nothing a second time, and none can be left out. A command in plain moves the counter too.
- An answer is MACed with the counter as it stands after the command.
- The counter does not start again from zero: after 65,535 commands the session is over.
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.simulator.cards import aes
from tools.simulator.cards.memory import Key, Mode
from tools.simulator.cards.status import Refused, Status

_MAC_BYTES = 8
_CRC_BYTES = 4
_LAST_COMMAND = 0xFFFF
_COMMAND_LABEL = b"\xa5\x5a"
_ANSWER_LABEL = b"\x5a\xa5"
_ENC_VECTOR = b"\xa5\x5a\x00\x01\x00\x80"  # SV1: label, counter 1, 128 bits (NIST SP 800-108 in counter mode)
_MAC_VECTOR = b"\x5a\xa5\x00\x01\x00\x80"  # SV2


def session_keys(key: bytes, rnd_a: bytes, rnd_b: bytes) -> tuple[bytes, bytes]:
    """KSesAuthENC and KSesAuthMAC: CMAC of SV1 and SV2 under the key that was proven (NT4H2421Gx 9.1.7)."""
    context = rnd_a[:2] + aes.xor(rnd_a[2:8], rnd_b[:6]) + rnd_b[6:] + rnd_a[8:]
    return aes.cmac(key, _ENC_VECTOR + context), aes.cmac(key, _MAC_VECTOR + context)


@dataclass(slots=True)
class Ev2Session:
    """A session of key number `key_no`; `transaction` is TI (4 bytes), `counter` CmdCtr."""

    key_no: int | None
    enc_key: bytes
    mac_key: bytes
    transaction: bytes
    counter: int = 0
    usual: Mode = Mode.MAC

    def request(self, command: int, header: bytes, rest: bytes, mode: Mode) -> None:
        self._count_on()
        if len(rest) != (0 if mode is Mode.PLAIN else _MAC_BYTES):
            raise Refused(Status.LENGTH)
        if mode is not Mode.PLAIN:
            self.verify(self._mac(command, header), rest)

    def size(self, length: int, mode: Mode) -> int:
        match mode:
            case Mode.PLAIN:
                return length
            case Mode.MAC:
                return length + _MAC_BYTES
            case Mode.FULL:
                return len(aes.pad(bytes(length))) + _MAC_BYTES

    def receive(self, command: int, header: bytes, rest: bytes, mode: Mode, length: int) -> bytes:
        self._count_on()
        if len(rest) != self.size(length, mode):
            raise Refused(Status.LENGTH)
        if mode is Mode.PLAIN:
            return rest
        body, mac = rest[:-_MAC_BYTES], rest[-_MAC_BYTES:]
        self.verify(self._mac(command, header + body), mac)
        if mode is Mode.MAC:
            return body
        data = aes.unpad(aes.decrypt(self.enc_key, self._vector(_COMMAND_LABEL), body))
        if data is None or len(data) != length:
            raise Refused(Status.INTEGRITY)
        return data

    def new_key(self, command: int, header: bytes, rest: bytes, old: bytes | None) -> Key:
        length = aes.KEY_BYTES + 1
        if old is None:
            data = self.receive(command, header, rest, Mode.FULL, length)
            return Key(data[:-1], data[-1])
        data = self.receive(command, header, rest, Mode.FULL, length + _CRC_BYTES)
        value = aes.xor(data[: aes.KEY_BYTES], old)
        self.verify(aes.crc32(value), data[length:])
        return Key(value, data[aes.KEY_BYTES])

    def answer(self, data: bytes, mode: Mode, *, to_the_end: bool = False) -> bytes:
        self.counter += 1
        if mode is Mode.PLAIN:
            return data
        if mode is Mode.FULL and data:
            data = aes.encrypt(self.enc_key, self._vector(_ANSWER_LABEL), aes.pad(data))
        return data + self._mac(Status.OK, data)

    def verify(self, wanted: bytes, given: bytes) -> None:
        """Refuse what is not as it must be. Raises Refused."""
        if given != wanted:
            raise Refused(Status.INTEGRITY)

    def _count_on(self) -> None:
        if self.counter == _LAST_COMMAND:
            raise Refused(Status.AUTHENTICATION)

    def _mac(self, code: int, data: bytes) -> bytes:
        """Every second byte of the CMAC over the command or status byte, the counter, TI and what follows."""
        return aes.cmac(self.mac_key, bytes([code]) + self._count() + self.transaction + data)[1::2]

    def _vector(self, label: bytes) -> bytes:
        return aes.encrypt(self.enc_key, aes.ZERO, label + self.transaction + self._count() + bytes(8))

    def _count(self) -> bytes:
        return self.counter.to_bytes(2, "little")
