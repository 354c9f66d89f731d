"""The tests against mutated sources: each mutant must be caught, or somebody has to look at it.

Rules kept here:
- Mutants run in copies of the tree, one for each worker; the checkout is never changed.
- Every result is written down as it comes: a run that was ended is taken up where it stood.
- Before the first mutant the copies must pass, written the way mutants are (from the syntax tree, without comments), so
  that "caught" never means "broken anyway".
- The tests that are watched for what they reach leave their byte code, and nothing after them does; that of the sources
  is removed: what was compiled is found by the age of its source in seconds, and two mutants of one second would pass
  for one another.
- A mutant that hangs is caught: the door's watchdog would end it.
- Whatever ends the run ends all of its processes.
"""

from __future__ import annotations

import ast
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Self

from tools.endurance.mutants import Mutant, mutants
from tools.endurance.mutation_since import Places, everywhere
from tools.endurance.mutation_suite import Suite
from tools.endurance.scratch import folder_in_memory

ROOT = Path(__file__).resolve().parents[2]
_COPIED = ("device", "models", "provisioning", "tests", "tools", "pyproject.toml", "docs", "systemd")
_END_S = 60
_NOT_CAUGHT = ("survives", "unreached")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant, and by which test.

    "caught", "hangs" (caught, too), "survives", or "unreached": no test runs that line.
    """

    path: str
    name: str
    fate: str
    by: str = ""


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


def run(
    suite: Suite,
    copies: Sequence[Path],
    results: Path,
    reach: Path,
    tell: Callable[[str], None],
    share: float = 1.0,
    places: Places = everywhere,
) -> Generator[Verdict, None, None]:
    """Run every mutant of `suite` that `results` does not hold yet, one at a time in each of `copies`.

    `reach`: where it is kept which test reaches which line; found out if the file is not there. `share`: only so many
    mutants, the same in every run, evenly over the files. `places`: only those on such lines of a file. Raises
    RuntimeError if the tests fail without a mutant, and what `places` raises.
    """
    copy, known = copies[0], {(each.path, each.name) for each in read(results)}
    every = [
        (str(path.relative_to(copy)), mutant) for path in suite.files(copy) for mutant in _within(path, copy, places)
    ]
    drawn = sorted(Random(suite.name).sample(range(len(every)), round(share * len(every))))
    new = [every[at] for at in drawn if (every[at][0], every[at][1].name) not in known]
    # Those within functions first: one that is loaded anew takes as long as dozens of them.
    todo = deque(sorted(new, key=lambda each: each[1].body is None))
    tell(f"{suite.name}: {len(todo)} mutants to run, {len(drawn) - len(todo)} results known")
    if not todo:
        return
    with ExitStack() as stack:
        if not reach.exists():
            tell(f"{suite.name}: looking which test reaches which line")
            _watch(suite, copy, reach)
        for each in copies:
            _as_mutants_are(suite, each)
        workers = [stack.enter_context(_Worker(suite, each, reach)) for each in copies]
        for worker in workers:
            worker.send({})
        for worker in workers:
            if (honest := worker.answer())[0] != "survives":
                raise RuntimeError(f"the tests of {suite.name} fail without any mutant: {honest[1]}")
        for verdict in _tried(workers, todo):
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps([verdict.path, verdict.name, verdict.fate, verdict.by]) + "\n")
            yield verdict


def read(results: Path) -> list[Verdict]:
    """The results so far; none if the file does not exist. A last line that was cut off counts for nothing."""
    if not results.exists():
        return []
    lines = results.read_text(encoding="utf-8").splitlines(keepends=True)
    return [Verdict(*json.loads(line)) for line in lines if line.endswith("\n")]


def report(verdicts: Iterable[Verdict], tree: Path) -> Iterator[str]:
    """The counts per file, then every mutant that was not caught with its line, sorted."""
    every = sorted(verdicts, key=lambda each: (each.path, int(each.name.split(":")[0]), each.name))
    counts: dict[str, Counter[str]] = {}
    for each in every:
        counts.setdefault(each.path, Counter())[each.fate] += 1
    for path, fates in counts.items():
        yield f"{path}: {fates.total()} mutants, " + ", ".join(f"{fates[fate]} {fate}" for fate in sorted(fates))
    for each in every:
        if each.fate in _NOT_CAUGHT:
            line = int(each.name.split(":")[0])
            text = (tree / each.path).read_text(encoding="utf-8").splitlines()[line - 1].strip()
            yield f"{each.fate}: {each.path}:{each.name}    {text}"


class _Worker:
    """A process in `copy` that answers what becomes of a mutant. What its tests say is in `worker.log` there."""

    def __init__(self, suite: Suite, copy: Path, reach: Path) -> None:
        self._suite, self._copy, self._reach = suite, copy, reach
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        scratch = self._stack.enter_context(folder_in_memory())
        log = self._stack.enter_context((self._copy / "worker.log").open("ab"))
        environment = {**_environment(self._copy), "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(scratch)}
        command = [sys.executable, "-m", "tools.endurance.mutation_worker", str(self._reach.resolve()), str(scratch)]
        self._process = subprocess.Popen(
            [*command, *self._suite.tests],
            cwd=self._copy,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:  # a busy machine; its tests' processes are of its session
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        finally:
            self._process.kill()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()
            self._stack.close()

    def send(self, what: dict[str, object]) -> None:
        """Ask about a mutant, or with {} whether all tests pass without any."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):  # `answer` tells it
                self._process.stdin.write(json.dumps(what).encode() + b"\n")
                self._process.stdin.flush()

    def answer(self) -> tuple[str, str]:
        """What became of it, and by which test. Raises RuntimeError when the worker has ended."""
        if self._process.stdout is None or not (line := self._process.stdout.readline()):
            raise RuntimeError(f"a worker has ended; {self._copy / 'worker.log'} says why")
        fate, by = json.loads(line)
        return fate, by


def _within(path: Path, copy: Path, places: Places) -> Iterator[Mutant]:
    source = path.read_text(encoding="utf-8")
    lines = {line for each in places(str(path.relative_to(copy)), source) for line in each}
    return (mutant for mutant in mutants(source) if mutant.line in lines)


def _tried(workers: Sequence[_Worker], todo: deque[tuple[str, Mutant]]) -> Iterator[Verdict]:
    """One thread for each worker, which does nothing but wait for it."""
    done: queue.SimpleQueue[Verdict | Exception] = queue.SimpleQueue()

    def work(worker: _Worker) -> None:
        try:
            while True:
                path, mutant = todo.popleft()
                worker.send({"path": path, "mutant": asdict(mutant)})
                done.put(Verdict(path, mutant.name, *worker.answer()))
        except IndexError:
            return
        except Exception as error:  # noqa: BLE001 - raised again where the results are read
            done.put(error)

    count = len(todo)
    for worker in workers:
        threading.Thread(target=work, args=(worker,), daemon=True).start()
    for _ in range(count):
        if isinstance(each := done.get(), Exception):
            raise each
        yield each


def _as_mutants_are(suite: Suite, copy: Path) -> None:
    for path in suite.files(copy):
        path.write_text(ast.unparse(ast.parse(path.read_text(encoding="utf-8"))) + "\n", encoding="utf-8")
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()


def _watch(suite: Suite, copy: Path, reach: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "tools.endurance.mutation_reach",
        str(reach.resolve()),
        suite.sources,
        *suite.tests,
    ]
    with (
        (copy / "worker.log").open("ab") as log,
        subprocess.Popen(
            command,
            cwd=copy,
            env=_environment(copy),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        try:
            if process.wait():
                raise RuntimeError(f"the tests of {suite.name} could not be watched; {copy / 'worker.log'} says why")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _environment(copy: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{copy.resolve()}:{ROOT}", "OPENBLAS_NUM_THREADS": "1"}
