"""The one door all trials are held at; its id and cadence are public, so the attacker knows its grid."""

from __future__ import annotations

from typing import Final

DOOR: Final = "00112233445566ff"
CADENCE_S: Final = 900.0
"""The product's default (device.config.tables)."""
