"""What a door installs, as CycloneDX writes it: libraries of the locks, with hashes and licences, and the networks.

Rules kept here:
- The locks of a door are read (`requirements/device-*.txt`), never what this computer happens to have.
- A licence is what the library's own metadata says, of the version installed here; a library that says none is named
  so, and nobody guesses.
- The list is the same for the same tree: no time and no random number stands in it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any, Final

from tools.card.figure import Figure, count
from tools.card.here import NotHere
from tools.card.measured import Part

_PLAIN: Final = {  # of the ways in which libraries name the same licence, those that say which one
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: BSD License": "BSD, not said which",
    "3-Clause BSD License": "BSD-3-Clause",
}
_COMMENT: Final = re.compile(r"^ *#.*\n", re.MULTILINE)
_LONGEST: Final = 60  # what is longer is a text, no name
FILE: Final = "sbom.cdx.json"
UNSAID: Final = "not said in its metadata"


def document(root: Path) -> dict[str, Any]:
    """The list, a CycloneDX object. Raises NotHere."""
    locks = sorted((root / "requirements").glob("device-*.txt"))
    if not locks:
        msg = "requirements/ has no lock of a door"
        raise NotHere(msg)
    base: dict[str, Any] = {}
    libraries: dict[str, dict[str, Any]] = {}
    read: dict[str, dict[str, Any]] = {}
    for lock in locks:
        text = _COMMENT.sub("", lock.read_text(encoding="utf-8"))
        base = read[text] if text in read else read.setdefault(text, _bom(lock))
        for component in base["components"]:
            known = libraries.setdefault(component["purl"].partition("?")[0], component)
            known.pop("description", None)
            known["bom-ref"] = component["purl"].partition("?")[0]
            known.setdefault("properties", []).append({"name": "doorward:lock", "value": lock.stem})
    for component in libraries.values():
        component["licenses"] = [{"license": {"name": licence(component["name"])}}]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    about = {"type": "firmware", "bom-ref": "doorward", "name": project["name"], "version": project["version"]}
    about["licenses"] = [{"license": {"id": project["license"]}}]
    whole = [*(libraries[name] for name in sorted(libraries)), *_networks(root)]
    base["components"] = whole
    base["dependencies"] = [{"ref": "doorward", "dependsOn": [each["bom-ref"] for each in whole]}]
    base["metadata"] = {**base.get("metadata", {}), "component": about}
    base.pop("serialNumber", None)
    return base


def libraries(whole: dict[str, Any]) -> Part:
    """How many libraries, and a row for each licence that they have."""
    named = {each["name"]: _named(each) for each in whole["components"] if each["type"] == "library"}
    number = len(named)
    rows = [
        {
            "licence": Figure(f"parts.licence.{at}", name, name, FILE, "components.licenses"),
            "count": Figure(f"parts.licence.{at}.count", count(each), each, FILE, f"components of {name}"),
        }
        for at, (name, each) in enumerate(sorted(Counter(named.values()).items(), key=lambda pair: (-pair[1], pair[0])))
    ]
    return Part({"libraries": Figure("parts.libraries", count(number), number, FILE, "type library")}, tuple(rows))


def networks(whole: dict[str, Any]) -> Part:
    """How many networks, and a row for each."""
    found = [each for each in whole["components"] if each["type"] == "machine-learning-model"]
    number = len(found)
    rows = [
        {
            "network": Figure(f"parts.network.{at}", each["name"], each["name"], FILE, each["bom-ref"]),
            "licence": Figure(f"parts.network.{at}.licence", _named(each), _named(each), FILE, each["bom-ref"]),
        }
        for at, each in enumerate(found)
    ]
    return Part({"networks": Figure("parts.networks", count(number), number, FILE, "type model")}, tuple(rows))


def licence(package: str) -> str:
    """What the metadata of `package` as installed here says, in the shortest form that it has."""
    try:
        about = metadata(package)
    except PackageNotFoundError:
        return UNSAID
    told = (about.get_all("License-Expression") or [""])[0]
    classified = [each for each in about.get_all("Classifier") or [] if each in _PLAIN]
    if not told:
        free = (about.get_all("License") or [""])[0].strip()
        told = free if free and len(free) <= _LONGEST and "\n" not in free else (classified or [UNSAID])[0]
    return _PLAIN.get(str(told), str(told))


def _named(component: dict[str, Any]) -> str:
    told = component["licenses"][0]["license"]
    return str(told.get("id") or told["name"])


def _bom(lock: Path) -> dict[str, Any]:
    words = [sys.executable, "-m", "cyclonedx_py", "requirements", "--output-reproducible", str(lock)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        msg = f"cyclonedx-py does not read {lock.name}: {done.stderr.strip()[-300:]}"
        raise NotHere(msg)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _networks(root: Path) -> Iterator[dict[str, Any]]:
    told = tomllib.loads((root / "models" / "manifest.toml").read_text(encoding="utf-8"))
    for name, network in told.items():
        if isinstance(network, dict):
            yield {
                "type": "machine-learning-model",
                "bom-ref": f"models/{network['file']}",
                "name": name,
                "hashes": [{"alg": "SHA-256", "content": network["sha256"]}],
                "licenses": [{"license": {"id": network["licence"]}}],
            }
