"""A small tree with logs of its own, all of its sources and all as committed: a release's card can be made of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tools.card import parts_list
from tools.card.build import Tree
from tools.log_header.kinds import Kind
from tools.log_header.sources import sums

ROOT = Path(__file__).resolve().parents[3]
KINDS: Mapping[str, Kind] = {name: Kind(files=(f"src/{name}.py",)) for name in ("accuracy", "attack-lab", "anonymity")}
LOGS = {
    "accuracy": "docs/logs/2026-01-02-accuracy.json",
    "attack-lab": "docs/logs/2026-01-02-attack-lab.txt",
    "anonymity": "docs/logs/2026-01-02-anonymity.txt",
}
RATE = {"value": 0.0201, "low": 0.0102, "high": 0.0352}
GROUPS = [
    {"name": name, "ages": ages, "fmr": [RATE | {"value": value}]}
    for name, ages, value in (
        ("some-women", "all", 0.03), ("some-women", "18-29", 0.9),
        ("some-men", "all", 0.02), ("child-female", "all", 0.18),
    )
]  # fmt: skip
ACCURACY = {
    "date": "2026-01-02 03:04 UTC",
    "commit": "0123456",
    "pictures": 6274,
    "people": 2848,
    "enrolled": [{"pictures": 5, "company": 32, "fte": RATE | {"errors": 46}}],
    "verified": [
        {
            "design": {"enrolled": 5, "frames": 3},
            "residents": 109,
            "door": [{"faces": 1, "fnmr": RATE, "fmr": {"value": 0.0, "low": 0.0, "high": 0.0011}}],
        }
    ],
    "groups": {"thresholds": [["1e-03", 0.365]], "rows": GROUPS},
}
KIND = {"transaction_passed": {"count": 1, "trials": 18, "low": 0.001, "high": 0.273}}
TWICE = {"twice_passed": {"count": 0, "trials": 17, "low": 0.0, "high": 0.195}}
LAB = {
    "kinds": [
        {"name": "people", **KIND, **TWICE},
        {"name": "print, flat", **KIND, **TWICE},
        {"name": "screen", **KIND},
    ]
}
ROW = "| nothing goes wrong | who went out | 5 | trained | 6000 | 20.0% | 20.7% | +0.7 | -0.1 | +1.6 |"
TABLES = "\n".join(
    f"**{title}**\n\n{ROW}\n"
    for title in (
        "Profile building: the promise",
        "Profile building: what an alarm tells all the same",
        "Seeded leaks: each must be caught",
    )
)


class Made:
    """The tree in a folder, and what may be done to it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for path in (
            "SECURITY.md",
            "CHANGELOG.md",
            "pyproject.toml",
            "docs/impact-assessment.md",
            "models/manifest.toml",
        ):
            self.puts(path, (ROOT / path).read_text(encoding="utf-8"))
        shutil.copytree(ROOT / "systemd/system", root / "systemd/system")
        lock = ROOT / "requirements/device-bookworm-arm64.txt"
        self.puts("requirements/device-bookworm-arm64.txt", lock.read_text(encoding="utf-8"))
        self.edits("SECURITY.md", "| 2026-11-23 | 2031-11-23 |", "| 2026-01-02 | 2031-01-02 |")
        self.edits("CHANGELOG.md", "## 0.1.0 — 2026-11-23", "## 0.1.0 — 2026-01-02")
        for name in KINDS:
            self.puts(f"src/{name}.py", f"decides = {name!r}\n")
        self.logs()

    def logs(self) -> None:
        """Write the logs anew, as a run on the present sources would, and their sums."""
        for name, kind in KINDS.items():
            told = sums(kind, self.root)
            head = "date: 2026-01-02 03:04 UTC\ncommit: 0123456\n" + "".join(
                f"source: {number} {path}\n" for path, number in told.items()
            )
            text = {
                "accuracy": json.dumps(ACCURACY | {"sources": dict(told)}),
                "attack-lab": f"{head}\nrendered\n{json.dumps(LAB)}\n",
                "anonymity": f"{head}\n{TABLES}",
            }[name]
            self.puts(LOGS[name], text)
        self.seals()

    def seals(self) -> None:
        """Write docs/logs/SHA256SUMS of the logs as they are."""
        lines = [
            f"{sha256((self.root / path).read_bytes()).hexdigest()}  {Path(path).name}\n" for path in LOGS.values()
        ]
        self.puts("docs/logs/SHA256SUMS", "".join(lines))

    def puts(self, path: str, text: str) -> None:
        """Write a file."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def edits(self, path: str, old: str, new: str) -> None:
        """Change what stands in a file."""
        text = (self.root / path).read_text(encoding="utf-8")
        assert old in text
        self.puts(path, text.replace(old, new, 1))

    def tree(self) -> Tree:
        """For `build`; its commit is clean, and git knows no other."""
        return Tree(self.root, "0123456789ab", clean=True, at_commit=lambda *_: None, kinds=KINDS)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


@pytest.fixture(scope="session", autouse=True)
def _each_lock_is_listed_once() -> Iterator[None]:
    """cyclonedx-py takes a second and more for a lock, and says the same of the same bytes: it is asked once."""
    listing = parts_list._bom

    known: dict[bytes, dict[str, Any]] = {}

    def listed(lock: Path) -> dict[str, Any]:
        content = lock.read_bytes()
        if content not in known:
            known[content] = listing(lock)
        return deepcopy(known[content])  # a card adds to it

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts_list, "_bom", listed)
        yield
