"""Keys as the kernel's input layer writes them."""

from device.lock.input_events import EVENT

_CODES = dict(zip("1234567890", range(2, 12), strict=True))
_EV_KEY, _DOWN, _UP = 1, 1, 0


def written(keys: str) -> bytes:
    """Each of `keys` pressed and let go."""
    return b"".join(EVENT.pack(0, 0, _EV_KEY, _CODES[key], level) for key in keys for level in (_DOWN, _UP))
