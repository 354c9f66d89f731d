"""The terms in force here, as a person is shown them.

Rules kept here:
- They are made from the same two files from which vault makes them: door.toml and the models' manifest. Vault
  compares, and refuses an agreement to others.
"""

from __future__ import annotations

from pathlib import Path

from device import config, manifest
from device.consent import LANGUAGES, Notice, Terms, terms_of
from device.paths import Paths

COMPONENTS = ("notice", "purpose", "retention", "model", "threshold class")  # in the order of `Terms.parts`


def in_force(paths: Paths, models: Path) -> Terms:
    """The terms of the door below `paths`. Raises ConfigRefused, ModelRefused or StoreFault."""
    return terms_of(config.load(paths.config), manifest.load(models).for_job(manifest.Job.EMBED).sha256)


def shown(notice: Notice, language: str) -> str:
    """The notice in one of the languages, or in all of them for "both"."""
    chosen = LANGUAGES if language == "both" else (language,)
    return "\n".join(notice.text(each) for each in chosen)
