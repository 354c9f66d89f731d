"""The preparation of a checkout: at once when nothing has changed, and never on top of something half made."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERSION = "Python 3.11.2"


def _program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


class Checkout:
    """A checkout whose interpreter only answers questions about its version, and fails at everything else."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.stamp = root / ".venv" / ".made-from"
        (root / "tools").mkdir(parents=True)
        (root / "requirements").mkdir()
        shutil.copy(ROOT / "tools" / "setup.sh", root / "tools")
        for name in ("pyproject.toml", "requirements/dev.txt", "requirements/samples.txt", "tools/samples.py"):
            (root / name).write_text(f"{name}\n", encoding="utf-8")
        samples = root / ".cache" / "samples"
        samples.mkdir(parents=True)
        (samples / "astronaut.png").touch()
        _program(root / "bin" / "mosquitto", "exit 1")
        self.interpreter(VERSION)

    def interpreter(self, version: str) -> None:
        _program(self.root / ".venv" / "bin" / "python", f'[ "$*" = -V ] && echo "{version}"')

    def setup(self) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{self.root / 'bin'}:{os.environ['PATH']}", "PYTHON": str(self.root / "no-python")}
        command = ["sh", str(self.root / "tools" / "setup.sh")]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def note(self) -> None:
        """Write the stamp that a finished set-up writes, with the script's own words for it."""
        script = (self.root / "tools" / "setup.sh").read_text(encoding="utf-8")
        keys = script[script.index("environment_key()") : script.index("made_from()")]
        prelude = f"cd {self.root}; root=$(pwd); venv=.venv; lock=requirements/dev.txt"
        written = subprocess.run(
            ["sh", "-c", f"{prelude}\n{keys}\nenvironment_key; project_key"], capture_output=True, text=True, check=True
        )
        self.stamp.write_text(written.stdout, encoding="utf-8")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path / "checkout")
    made.note()
    return made


def test_an_unchanged_checkout_is_ready_at_once_and_in_silence(checkout: Checkout) -> None:
    done = checkout.setup()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("without", ["stamp", "lock", "interpreter", "place"])
def test_an_environment_made_from_something_else_is_made_anew(checkout: Checkout, without: str) -> None:
    if without == "stamp":
        checkout.stamp.unlink()
    elif without == "lock":
        (checkout.root / "requirements" / "dev.txt").write_text("another lock\n", encoding="utf-8")
    elif without == "interpreter":
        checkout.interpreter("Python 3.13.0")
    else:
        checkout.root = checkout.root.rename(checkout.root.with_name("moved"))
    done = checkout.setup()
    assert done.returncode == 1
    assert "no-python is no CPython" in done.stderr  # it looked for an interpreter to make the environment with


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements/samples.txt", "tools/samples.py"])
def test_a_changed_project_is_installed_again_into_the_same_environment(checkout: Checkout, name: str) -> None:
    (checkout.root / name).write_text("changed\n", encoding="utf-8")
    done = checkout.setup()
    assert done.returncode == 1
    assert "the project itself could not be installed" in done.stderr
    assert (checkout.root / ".venv" / "bin" / "python").exists()


def test_missing_pictures_are_noticed(checkout: Checkout) -> None:
    (checkout.root / ".cache" / "samples" / "astronaut.png").unlink()
    assert checkout.setup().returncode == 1


@pytest.mark.parametrize(("made_for", "linked"), [("311", True), ("313", False), ("311t", False)])
def test_the_systems_pyscard_is_linked_only_into_an_environment_it_was_made_for(
    checkout: Checkout, made_for: str, linked: bool
) -> None:
    debians = checkout.root / "dist-packages" / "smartcard"
    (debians / "scard").mkdir(parents=True)
    (debians / "__init__.py").touch()
    (debians / "scard" / f"_scard.cpython-{made_for}-aarch64-linux-gnu.so").touch()
    script = checkout.root / "tools" / "setup.sh"
    text = script.read_text(encoding="utf-8")
    script.write_text(text.replace("pyscard=/usr/lib/python3/dist-packages/smartcard", f"pyscard={debians}"))
    place = checkout.root / ".venv" / "lib" / "python3.11" / "site-packages"
    place.mkdir(parents=True)
    for _ in range(2):
        done = checkout.setup()
        assert done.returncode == 0, done.stderr
        assert (place / "smartcard").exists() is linked
    assert done.stdout == "", "at once when nothing has changed"


def test_an_unknown_environment_is_refused(checkout: Checkout) -> None:
    command = ["sh", str(checkout.root / "tools" / "setup.sh"), "elsewhere"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "nothing called 'elsewhere'" in done.stderr


def test_the_lock_names_no_index_and_hashes_every_package() -> None:
    lines = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8").splitlines()
    packages = [number for number, line in enumerate(lines) if line and not line.startswith((" ", "#"))]
    assert packages
    assert all("==" in lines[number] and "--hash=sha256:" in lines[number + 1] for number in packages)
    assert not any(
        word in line for line in lines for word in ("--index-url", "--extra-index-url", "--find-links", "://")
    )
