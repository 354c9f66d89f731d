"""Unit files as data.

Rules kept here:
- Read as systemd reads them: a setting given twice counts twice, an empty one forgets what was said before it.
- What this reader does not understand (a line without "=", a setting before the first section) is refused, not skipped.

Source: systemd.syntax(7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "systemd"


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit file: every value of every setting, in order."""

    name: str
    settings: Mapping[tuple[str, str], tuple[str, ...]]

    def all(self, section: str, key: str) -> tuple[str, ...]:
        """Every value of `key`."""
        return self.settings.get((section, key), ())

    def words(self, section: str, key: str) -> frozenset[str]:
        """The words of every value of `key`."""
        return frozenset(word for value in self.all(section, key) for word in value.split())

    def one(self, section: str, key: str) -> str:
        """The value of `key`; empty if there is none, or not exactly one."""
        values = self.all(section, key)
        return values[0] if len(values) == 1 else ""


def parse(name: str, text: str) -> Unit:
    """The unit `name` in `text`. Raises ValueError for a line that is none of a unit's."""
    section, found = "", dict[tuple[str, str], tuple[str, ...]]()
    for line in (line.strip() for line in text.replace("\\\n", " ").splitlines()):
        if not line or line[0] in "#;":
            continue
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if not (section and equals and key):
            msg = f"{name} has a line that is no setting of a section: {line}"
            raise ValueError(msg)
        # An empty value stays as such where it is the only one: CapabilityBoundingSet= means none at all.
        before = tuple(one for one in found.get((section, key), ()) if one)
        found[section, key] = (*before, value) if value else ("",)
    return Unit(name, found)


def read(folder: Path = FOLDER) -> dict[str, Unit]:
    """Every unit of `folder`/system by its name."""
    paths = sorted(path for path in (folder / "system").iterdir() if path.is_file())
    return {path.name: parse(path.name, path.read_text(encoding="utf-8")) for path in paths}
