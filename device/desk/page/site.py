"""What the page knows of the door it stands for, beside what the counter tells it.

Rules kept here:
- The terms are read anew whenever they are shown: from the two files from which vault makes them (`terms`).
- The key behind the forms' tokens is drawn at each opening and lies in memory alone.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from device import config, manifest
from device.consent import Terms, terms_of
from device.strength import Strength, describe


@dataclass(frozen=True, slots=True)
class Site:
    """The door behind the page. `name`: as door.toml has it, or empty. `contact`: whom to ask, or empty.

    `terms` raises ConfigRefused, ModelRefused or StoreFault. `strength`: what a deletion is worth here.
    """

    name: str
    contact: str
    terms: Callable[[], Terms]
    strength: Strength
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    @classmethod
    def of(cls, name: str, config_file: Path, models: Path) -> Self:
        """The site of the door with the door.toml `config_file`. Raises ConfigRefused."""

        def terms() -> Terms:
            embedder = manifest.load(models).for_job(manifest.Job.EMBED)
            return terms_of(config.load(config_file), embedder.sha256)

        now = config.load(config_file, without_id=True)
        return cls(name, now.sign.contact.strip(), terms, describe(now.vault.key_place))

    def token(self, use: str, sitting: str) -> str:
        """What a form for `use` carries: it fits this sitting and no other. 32 letters."""
        return hmac.new(self._key, f"{use} {sitting}".encode(), hashlib.sha256).hexdigest()[:32]

    def fits(self, token: str, use: str, sitting: str) -> bool:
        """Whether `token` is the one that this sitting was given for `use`."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.token(use, sitting).encode())
