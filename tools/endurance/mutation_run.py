"""The tests against mutated sources: each mutant must be caught, or somebody has to look at it.

Rules kept here:
- Mutants run in a copy of the tree, one at a time; the checkout is never changed.
- Every result is written down as it comes: a run that was ended is taken up where it stood.
- Before the first mutant the copy must pass, written the way mutants are (from the syntax tree, without comments), so
  that "caught" never means "broken anyway". Tests that change the source as text are left out for the same reason.
- The tests without a mutant leave their byte code, and nothing after them does: what was compiled is found by the age
  of its source in seconds, and two mutants of one second would pass for one another.
- A mutant that takes longer than LIMIT_S is caught: it hangs, and the door's watchdog would end it.
"""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tools.endurance.mutants import Mutant, mutants

LIMIT_S = 300
_NOT_OF_BEHAVIOUR = "test_lives_find_a_lock_without"
ROOT = Path(__file__).resolve().parents[2]
_COPIED = ("device", "models", "provisioning", "tests", "tools", "pyproject.toml", "docs", "systemd")


@dataclass(frozen=True, slots=True)
class Suite:
    """Which tests stand for which sources. Paths from the root of the tree; `without` names files left to others."""

    name: str
    sources: str
    tests: tuple[str, ...]
    without: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


_BOARDS = ("board_gpiozero.py", "board_sim.py", "board.py", "bolt.py")
SUITES = (
    Suite("lock", "device/lock", ("tests/unit/lock",), without=(*_BOARDS, "__main__.py")),
    Suite("board", "device/lock", ("tests/contract/bolt", "tests/contract/board", "tests/unit/lock"), only=_BOARDS),
    Suite("keeper", "device/keeper", ("tests/unit/keeper",), without=("__main__.py",)),
    Suite("cards", "device/keeper/cards", ("tests/unit/keeper/cards", "tests/unit/keeper/test_card_talk.py")),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant: "caught", "hangs" (caught too) or "survives"."""

    path: str
    name: str
    fate: str


def copy_of(tree: Path, into: Path) -> Path:
    """A copy of what the tests need of `tree`, without compiled files (their age would hide a mutant)."""
    into.mkdir(parents=True, exist_ok=True)
    for name in _COPIED:
        if (tree / name).exists():
            exclude = ["--exclude=__pycache__", "--exclude=.cache"]
            subprocess.run(["tar", "-cf", into / "copy.tar", *exclude, "-C", tree, name], check=True)
            subprocess.run(["tar", "-xf", into / "copy.tar", "-C", into], check=True)
    (into / "copy.tar").unlink(missing_ok=True)
    return into


def sources(suite: Suite, tree: Path) -> list[Path]:
    """The files of `suite`, in order."""
    found = sorted((tree / suite.sources).glob("*.py"))
    return [path for path in found if path.name not in suite.without and (not suite.only or path.name in suite.only)]


def run(suite: Suite, copy: Path, results: Path, tell: Callable[[str], None], share: float = 1.0) -> Iterator[Verdict]:
    """Run every mutant of `suite` that `results` does not hold yet. Raises RuntimeError if the copy itself fails.

    `share`: only so many of them, the same in every run, evenly over the files.
    """
    known = {(each.path, each.name) for each in read(results)}
    every = [(path, mutant) for path in sources(suite, copy) for mutant in mutants(path.read_text(encoding="utf-8"))]
    drawn = sorted(Random(suite.name).sample(range(len(every)), round(share * len(every))))
    todo = [every[at] for at in drawn if (str(every[at][0].relative_to(copy)), every[at][1].name) not in known]
    tell(f"{suite.name}: {len(todo)} mutants to run, {len(known)} results known")
    for path in {path for path, _ in todo}:
        path.write_text(ast.unparse(ast.parse(path.read_text(encoding="utf-8"))) + "\n", encoding="utf-8")
    if todo and _tests(suite, copy, leaves_byte_code=True) != "survives":
        raise RuntimeError(f"the tests of {suite.name} fail without any mutant")
    for path, mutant in todo:
        verdict = Verdict(str(path.relative_to(copy)), mutant.name, _tried(suite, copy, path, mutant))
        with results.open("a", encoding="utf-8") as file:
            file.write(json.dumps([verdict.path, verdict.name, verdict.fate]) + "\n")
        yield verdict


def read(results: Path) -> list[Verdict]:
    """The results so far; none if the file does not exist."""
    if not results.exists():
        return []
    return [Verdict(*json.loads(line)) for line in results.read_text(encoding="utf-8").splitlines()]


def report(verdicts: Iterable[Verdict], tree: Path) -> Iterator[str]:
    """The counts per file, then every survivor with its line, sorted."""
    every = sorted(verdicts, key=lambda each: (each.path, int(each.name.split(":")[0]), each.name))
    counts: dict[str, Counter[str]] = {}
    for each in every:
        counts.setdefault(each.path, Counter())[each.fate] += 1
    for path, fates in counts.items():
        yield f"{path}: {fates.total()} mutants, " + ", ".join(f"{fates[fate]} {fate}" for fate in sorted(fates))
    for each in every:
        if each.fate == "survives":
            line = int(each.name.split(":")[0])
            text = (tree / each.path).read_text(encoding="utf-8").splitlines()[line - 1].strip()
            yield f"survives: {each.path}:{each.name}    {text}"


def _tried(suite: Suite, copy: Path, path: Path, mutant: Mutant) -> str:
    honest = path.read_bytes()
    try:
        path.write_text(mutant.source, encoding="utf-8")
        return _tests(suite, copy)
    finally:
        path.write_bytes(honest)


def _tests(suite: Suite, copy: Path, *, leaves_byte_code: bool = False) -> str:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-k", f"not {_NOT_OF_BEHAVIOUR}"]
    command += suite.tests
    dont = "" if leaves_byte_code else "1"
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": dont, "PYTHONPATH": str(copy)}
    running = subprocess.Popen(
        command,
        cwd=copy,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return "survives" if running.wait(LIMIT_S) == 0 else "caught"
    except subprocess.TimeoutExpired:
        return "hangs"
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
