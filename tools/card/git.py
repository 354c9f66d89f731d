"""What git knows: the present commit, and a file as it was at another one."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{7,40}")


def at_commit(root: Path, commit: str, path: str) -> bytes | None:
    """The bytes of `path` at `commit`; None where git has no such commit or file."""
    if not _COMMIT.fullmatch(commit):
        return None
    return _git(root, "cat-file", "blob", f"{commit}:{path}")


def present(root: Path) -> tuple[str, bool]:
    """The commit of the tree, and whether nothing in it was changed since; ("unknown", False) without git."""
    commit = _git(root, "rev-parse", "--short=12", "HEAD")
    status = _git(root, "status", "--porcelain")
    return (commit.decode().strip(), status == b"") if commit else ("unknown", False)


def _git(root: Path, *words: str) -> bytes | None:
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, check=False)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
