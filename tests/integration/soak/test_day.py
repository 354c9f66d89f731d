"""A short day at a real door holds; at doors with a fault built in, what the fault does is found."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.room_process import CHECKOUT
from tools.broker import INSTALL, PROGRAM

# What keeper acknowledges it keeps in memory alone: a kill loses it. And it writes down for whom.
FORGETS = """
import sys
if "device.keeper" in sys.orig_argv:
    from device.keeper.book import Book
    def keep(self, slot, credential):
        print("keeper: kept something for flat", slot, file=sys.stderr, flush=True)
        self._take(slot, credential)
    Book.keep = keep
"""
# Cards are cancelled by word alone. And that is worth a line.
CANCELS_NOTHING = """
import sys
if "device.keeper" in sys.orig_argv:
    from device.keeper.card_talk import CardTalk
    def drop(self, slot):
        print("keeper: all is well", file=sys.stderr, flush=True)
        return True
    CardTalk.drop = drop
"""


@dataclass(frozen=True)
class Ended:
    """A soak that ended: its exit code and its lines."""

    code: int
    lines: tuple[str, ...]

    @property
    def found(self) -> str:
        """What it found, a line each."""
        return "\n".join(line for line in self.lines if line.startswith("FOUND"))

    def line(self, beginning: str) -> str:
        """The one line that begins so."""
        (found,) = (line for line in self.lines if line.startswith(beginning))
        return found


def soaked(code: Path, *words: str) -> Ended:
    done = subprocess.run(
        [sys.executable, "-m", "tools.soak", *words],
        cwd=code,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONPATH": str(code)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return Ended(done.returncode, tuple(done.stdout.splitlines()) or (done.stderr,))


@pytest.fixture(autouse=True)
def _broker_is_there() -> None:
    if not Path(PROGRAM).exists():
        pytest.skip(INSTALL)


@pytest.fixture
def faulty(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A door's code with a fault in it."""
    for name in ("device", "provisioning", "tools", "models", "pyproject.toml"):
        (tmp_path / name).symlink_to(CHECKOUT / name)
    (tmp_path / "sitecustomize.py").write_text(request.param)
    return tmp_path


def test_a_short_day_holds_and_its_log_says_on_what(tmp_path: Path) -> None:
    log = tmp_path / "soak.txt"
    ended = soaked(CHECKOUT, "--approaches", "40", "--cycles", "1", "--seed", "5", "--log", str(log))
    assert ended.found == ""
    assert (ended.code, ended.lines[-1]) == (0, "soak: everything held")
    reached = re.match(r"reached: (\d+) approaches, 1 homes that changed hands, (\d+) kills", ended.line("reached"))
    assert reached
    assert int(reached[1]) >= 40
    assert int(reached[2]) >= 5
    drawn = [int(count) for count in re.findall(r" (\d+)(?:,|$)", ended.line("drawn ways"))]
    assert sum(drawn) == 40, "so many as were asked for: nobody new comes while others wait for the camera"
    assert "a power cut" in ended.line("reached")
    assert "1 pairs of consent and receipt verified" in ended.line("acknowledged")
    assert ended.line("log lines").endswith("unexplained 0")
    assert ended.line("undecided"), "so short a life does not tell whether memory is flat"
    written = log.read_text()
    assert written.endswith("\n".join([*ended.lines, ""]))
    assert re.search(r"^commit: ", written, re.MULTILINE)
    assert re.search(r"^source: [0-9a-f]{64} device/keeper/loop.py$", written, re.MULTILINE)


@pytest.mark.parametrize("faulty", [FORGETS], indirect=True, ids=["forgets"])
def test_fault_what_was_acknowledged_and_is_lost_by_a_kill_is_found(faulty: Path) -> None:
    ended = soaked(faulty, "--approaches", "40", "--cycles", "0", "--flaps", "0", "--seed", "5")
    assert ended.code == 1
    assert "LOST: a PIN that was acknowledged does not open" in ended.found
    assert "LOST: a card that was acknowledged does not open" in ended.found
    assert "keeper wrote a line that holds a secret or a flat" in ended.found
    assert "kept something" not in ended.found, "a line with a secret is not printed again"


@pytest.mark.parametrize("faulty", [CANCELS_NOTHING], indirect=True, ids=["cancels-nothing"])
def test_fault_a_cancelled_card_that_opens_and_a_line_that_nothing_explains_are_found(faulty: Path) -> None:
    ended = soaked(faulty, "--approaches", "20", "--cycles", "1", "--kills", "0", "--flaps", "0", "--seed", "5")
    assert ended.code == 1
    assert "OPENED by what must not open: card" in ended.found
    assert "a line of keeper that nothing explains: keeper: all is well" in ended.found


def test_a_day_that_cannot_begin_is_one_sentence_and_no_log(tmp_path: Path) -> None:
    for name in ("device", "provisioning", "models", "pyproject.toml"):
        (tmp_path / name).symlink_to(CHECKOUT / name)
    shutil.copytree(CHECKOUT / "tools", tmp_path / "tools")  # pictures are looked for beside it, and there are none
    log = tmp_path / "soak.txt"
    ended = soaked(tmp_path, "--approaches", "20", "--log", str(log))
    assert ended.code == 1
    assert ended.lines[0].startswith("Error: the soak could not begin: the sample picture ")
    assert not log.exists()
