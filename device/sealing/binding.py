"""What a sealed record is bound to, besides its key: the door, the kind and the model it was made with."""

from __future__ import annotations

from dataclasses import dataclass

from device.errors import StoreFault

DOOR_BYTES = 8
MODEL_BYTES = 32
_KINDS = {"face": 1, "pin": 2}


@dataclass(frozen=True, slots=True)
class Binding:
    """`door`: the id in door.toml (8 bytes); `kind`: "face" or "pin"; `model`: sha256 of the model, zeros for pins."""

    door: bytes
    kind: str
    model: bytes = bytes(MODEL_BYTES)

    def __post_init__(self) -> None:
        if len(self.door) != DOOR_BYTES or len(self.model) != MODEL_BYTES or self.kind not in _KINDS:
            msg = f"a store is bound to a door ({DOOR_BYTES} bytes), a kind, and a model ({MODEL_BYTES} bytes)"
            raise StoreFault(msg)

    @property
    def kind_code(self) -> int:
        """The kind as one byte."""
        return _KINDS[self.kind]
