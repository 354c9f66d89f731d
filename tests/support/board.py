"""What stands at a door before it has joined: two keys and a label, and what it asks and believes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from nacl.public import PrivateKey

from device import certificates as formats
from device.certificates import DoorKey
from device.joining import Answer, Label, Request, claim_key


@dataclass(frozen=True)
class Board:
    """What stands at a door: its two keys, and the label somebody gave it."""

    label: Label
    key: DoorKey
    box: PrivateKey

    @classmethod
    def of(cls, text: object) -> Board:
        return cls(Label.read(str(text)), formats.new_key(), PrivateKey.generate())

    @property
    def asked(self) -> Request:
        return Request(self.label.door_id, bytes(self.box.public_key), formats.ask(self.key, self.label.door_id))

    def request(self, path: Path) -> str:
        path.write_bytes(self.asked.pack(claim_key(self.label.secret)))
        return str(path)

    def believes(self, answer: Path) -> x509.Certificate:
        public = formats.public_part(self.key)
        read = Answer.read(answer.read_bytes())
        return read.believed(door_id=self.label.door_id, public=public, authority=self.label.authority)
