"""A simulated door whose var/lib is a small file system of its own, which a test can really fill up."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.door import Home, door_up
from tools.simulator.client import SimulatorRefused


@contextmanager
def door_on_a_small_disk(*, page: str = "") -> Iterator[Home]:
    """A door with 512 KiB for what it keeps, `page` as for `door_up`. Skips the test where nothing can be mounted."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system to fill up")
    with door_up(started=False, page=page) as home:
        state = home.root / "var" / "lib"
        state.mkdir(parents=True)
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=512k,mode=0700", "doorward-test", str(state)],
            capture_output=True,
            text=True,
            check=False,
        )
        if mounted.returncode:
            pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
        try:
            home.up()
            yield home
        finally:
            with suppress(SimulatorRefused):  # it did not even come up
                home.down()
            subprocess.run(["umount", str(state)], check=True)


def fill(home: Home) -> Path:
    """Take every block that is left."""
    filler = home.root / "var" / "lib" / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (4096, 512, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    return filler
