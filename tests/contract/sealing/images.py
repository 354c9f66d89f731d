"""File systems of a test's own: an ext4 image behind a loop device, or a small tmpfs; unmounted whatever happens.

A test that cannot have one is skipped, and says which of root, tools or mounting is missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

STRANGER = 12345  # a user id that nobody here has
BLOCK_BYTES = 4096
_TOOLS = {"ext4": ("mkfs.ext4", "mount", "umount"), "tmpfs": ("mount", "umount")}
_LIMIT_S = 30


@dataclass
class Mounted:
    """A file system at `point`; of an ext4, `image` holds every block of it."""

    kind: str
    image: Path
    point: Path
    size_kib: int
    options: str = ""
    is_mounted: bool = False

    @property
    def state(self) -> Path:
        """The room's folder in it."""
        return self.point / "state"

    def mount(self) -> None:
        """Mount it, or skip the test with what the system said."""
        options = ["loop"] if self.kind == "ext4" else [f"size={self.size_kib}k", "mode=0755"]
        options += [self.options] if self.options else []
        done = _run("mount", "-t", self.kind, "-o", ",".join(options), str(self.image), str(self.point))
        if done.returncode:
            pytest.skip(f"needs to mount a {self.kind}: {done.stderr.strip()}")
        self.is_mounted = True

    def remount(self, how: str) -> None:
        """Change it while it is in use: "ro" or "rw"."""
        done = _run("mount", "-o", f"remount,{how}", str(self.point))
        assert done.returncode == 0, done.stderr

    def unmount(self) -> None:
        """Write everything back and let go of it."""
        if self.is_mounted:
            done = _run("umount", str(self.point))
            assert done.returncode == 0, done.stderr
            self.is_mounted = False
            # Another test's program in a mount namespace of its own may have taken a copy of this mount along.
            ends = time.monotonic() + _LIMIT_S
            while _is_held(self.image):
                assert time.monotonic() < ends, "somebody else keeps the file system mounted"
                time.sleep(0.01)

    def raw(self) -> bytes:
        """Every block of the image, used or free, but for those that are all zeros: nothing is to be found there."""
        self.unmount()
        with self.image.open("rb") as image:
            blocks = iter(lambda: image.read(BLOCK_BYTES), b"")
            return b"".join(block for block in blocks if any(block))

    @contextmanager
    def after_power_cut(self) -> Iterator[Mounted]:
        """What the next boot finds if the power goes now: a copy of what has reached the blocks, mounted elsewhere.

        Nothing writes meanwhile: mount with `commit=300`, and the journal waits for a sync.
        """
        with _folder() as folder:
            copy = Mounted(self.kind, folder / "image", folder / "point", self.size_kib)
            shutil.copyfile(self.image, copy.image)
            with copy.in_use():
                yield copy

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Mounted, and unmounted whatever happens."""
        self.point.mkdir(mode=0o755)
        try:
            self.mount()
            yield
        finally:
            if self.is_mounted and _run("umount", str(self.point)).returncode:
                _run("umount", "--lazy", str(self.point))

    def fill(self, leaving: int = 0) -> None:
        """Take all the room there is, but `leaving` bytes."""
        with (self.point / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
            while True:
                ballast.write(bytes(BLOCK_BYTES))
        with (self.point / "ballast").open("r+b") as ballast:
            ballast.truncate(max(0, ballast.seek(0, os.SEEK_END) - leaving))

    def empty(self) -> None:
        """Give back what `fill` took."""
        (self.point / "ballast").unlink()

    @property
    def free_bytes(self) -> int:
        """Room for anybody, root included."""
        found = os.statvfs(self.point)
        return found.f_bfree * found.f_frsize


@contextmanager
def mounted(kind: str, size_kib: int, options: str = "") -> Iterator[Mounted]:
    """A new file system, "ext4" or "tmpfs", mounted with `options`."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a file system of its own")
    if missing := [tool for tool in _TOOLS[kind] if shutil.which(tool) is None]:
        pytest.skip(f"needs {missing[0]} (apt-get install e2fsprogs mount)")
    with _folder() as folder:
        new = Mounted(kind, folder / "image", folder / "point", size_kib, options)
        new.image.touch()
        if kind == "ext4":
            os.truncate(new.image, size_kib * 1024)
            made = _run("mkfs.ext4", "-q", "-F", "-b", str(BLOCK_BYTES), "-m", "0", str(new.image))
            assert made.returncode == 0, made.stderr
        with new.in_use():
            yield new


@contextmanager
def _folder() -> Iterator[Path]:
    """A place for an image and its mount, which users who are not root may pass through."""
    folder = Path(tempfile.mkdtemp(prefix="dw-image-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def acting_as(user: int) -> Iterator[None]:
    """What happens in the block is done as `user`, without root's privileges."""
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)


def _is_held(image: Path) -> bool:
    """Whether a loop device still has it."""
    for told in Path("/sys/block").glob("loop*/loop/backing_file"):
        with suppress(OSError):  # it has just let go of its file
            if told.read_text().rstrip("\n") == str(image):
                return True
    return False


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
