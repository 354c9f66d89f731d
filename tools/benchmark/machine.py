"""What the figures were measured on: the machine, the versions, the commit.

Rules kept here:
- No name of the machine, its user or its network: only what a figure depends on.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("numpy", "ai-edge-litert", "tflite-runtime", "pynacl", "paho-mqtt")
_ROOT = Path(__file__).resolve().parents[2]


def described() -> dict[str, str]:
    """Name and value of everything a figure depends on, for people."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "machine": f"{platform.machine()}, {_cpu()}, {os.cpu_count()} cores, {_memory_mb()} MB",
        "load": f"{os.getloadavg()[0]:.2f} before the start (1 minute)",
        "kernel": platform.release(),
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
        "BLAS threads": os.environ.get("OPENBLAS_NUM_THREADS", "default"),
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Model", "Hardware"):
            return value.strip()
    return "unknown processor"


def _memory_mb() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(_ROOT), *words], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        commit = git("rev-parse", "--short=12", "HEAD")
        changed = git("status", "--porcelain", "--untracked-files=no")
    except OSError:
        return "unknown: git is not installed"
    if not commit:
        return "unknown: this is no git checkout"
    return commit + (" with uncommitted changes" if changed else "")


def one_blas_thread() -> None:
    """Run numpy's products in one thread, as the door's units do. To be called before numpy is imported."""
    if "numpy" in sys.modules:
        msg = "numpy was imported before its threads were set"
        raise RuntimeError(msg)
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
