"""A process that tries mutants in a copy of the tree: `python -m tools.endurance.mutation_worker REACH SCRATCH TEST…`.

Rules kept here:
- A request is a line of JSON, and so is its answer. When the requests end, everything ends.
- Two processes stand ready. One has collected the tests: a mutant within a function is put into a fork of it, and
  nothing is loaded. The other has loaded no code of ours: from a fork of it pytest starts anew, for any other mutant.
- In both ways the changed source lies in the tree, too, for the processes that tests start; afterwards the honest one.
- Tests that hypothesis feeds get the same examples as ever; only nobody looks for the smallest one that fails.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import Phase, settings

from tools.endurance.mutants import Mutant
from tools.endurance.mutation_child import Alone, Begun, Ended, adopt, sweep, tried
from tools.endurance.mutation_plan import all_of, plan
from tools.endurance.mutation_reach import Reach
from tools.endurance.mutation_suite import options
from tools.endurance.mutation_swap import Elsewhere, Functions

_HEAVY = (
    "numpy",
    "nacl.bindings",
    "cryptography.hazmat.primitives.ciphers",
    "click",
    "unittest.mock",
    "pytest_timeout",
)
_NOT_HERE = Ended("elsewhere")


def failing_quickly() -> None:
    """Whatever is wrong is found with the same examples; nobody reads the smallest."""
    settings.register_profile("mutants", settings(phases=(Phase.explicit, Phase.generate, Phase.target)))
    settings.load_profile("mutants")


class _Collected:
    """A pytest plugin: collects as ever, then runs only what it is asked for."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        failing_quickly()

    @staticmethod
    def run(session: pytest.Session, items: Sequence[pytest.Item], begun: Begun) -> bool:
        """Whether all of `items` pass; at the first that does not, the rest is left."""
        for at, item in enumerate(items):
            begun(at)
            following = items[at + 1] if at + 1 < len(items) else None
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                return False
        return True


class _Anew(_Collected):
    """Runs `tests`, in this order, and those that nobody knew: the mutant may have given one another name."""

    def __init__(self, tests: list[str], known: dict[str, float], begun: Begun) -> None:
        self._tests, self._known, self._begun = tests, known, begun
        self.passed = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:  # while collecting
            return True
        items = {item.nodeid: item for item in session.items}
        asked = [items[name] for name in self._tests if name in items]
        new = [item for name, item in items.items() if name not in self._known]
        at = {item.nodeid: number for number, item in enumerate(asked)}
        numbers = {name: number for number, name in enumerate(self._tests)}

        def begun(number: int) -> None:
            self._begun(numbers[asked[number].nodeid] if number < len(at) else len(self._tests))

        self.passed = self.run(session, asked + new, begun)
        return True


class _Ready(_Collected):
    """Answers requests in forks of this process, as long as any come."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO, reach: Reach) -> None:
        self._requests, self._answers, self._reach = requests, answers, reach

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Serve. Tests that could not be collected are told by silence."""
        if session.testsfailed:
            return True
        self._items = {item.nodeid: item for item in session.items}
        if len(list(Path("/proc/self/task").iterdir())) > 1:
            raise RuntimeError("a thread runs after the tests were collected: a fork would lack it")
        gc.collect()
        self._functions = Functions()
        gc.freeze()
        for line in self._requests:
            try:
                told = self._answer(session, json.loads(line))
            except Alone:
                break
            self._answers.write(json.dumps([told.fate, told.by]).encode() + b"\n")
            self._answers.flush()
        return True

    def _answer(self, session: pytest.Session, asked: dict[str, Any]) -> Ended:
        missing = [name for name in asked["tests"] if name not in self._items]
        if missing:
            raise RuntimeError(f"{missing[0]} is not there any more")
        try:
            swap = self._functions.swap(Path(asked["path"]), asked["honest"], asked["changed"])
        except Elsewhere:
            return _NOT_HERE
        if asked["honest"] != asked["changed"] and not swap.codes:
            return Ended("survives")

        def body(tests: list[str], begun: Begun) -> bool:
            swap.make()
            return self.run(session, [self._items[name] for name in tests], begun)

        return tried(asked["tests"], self._reach.seconds, body, self._requests.fileno())


class _Worker:
    def __init__(self, reach: Reach, scratch: Path, tests: list[str]) -> None:
        self._reach, self._scratch, self._tests = reach, scratch, tests
        self._options = [*options(), f"--basetemp={scratch / 't'}"]
        self._asked = os.dup(0)
        self._ready, self._requests, self._answers = self._collected()

    def _collected(self) -> tuple[int, BinaryIO, BinaryIO]:
        asked, answered = os.pipe(), os.pipe()
        pid = os.fork()
        if not pid:
            os.close(asked[1])
            os.close(answered[0])
            os.close(self._asked)
            try:
                adopt()
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                with os.fdopen(asked[0], "rb") as requests, os.fdopen(answered[1], "wb") as answers:
                    pytest.main([*self._options, *self._tests], plugins=[_Ready(requests, answers, self._reach)])
            finally:
                sweep()
                os._exit(0)
        os.close(asked[0])
        os.close(answered[1])
        return pid, os.fdopen(asked[1], "wb"), os.fdopen(answered[0], "rb")

    def answer(self, asked: dict[str, Any]) -> Ended:
        """What becomes of the mutant that is `asked` about."""
        mutant, path = Mutant(**asked["mutant"]), Path(asked["path"]).resolve()
        honest = path.read_text(encoding="utf-8")
        planned, ended = plan(self._reach, asked["path"], mutant), Ended("survives")
        try:
            path.write_text(mutant.source, encoding="utf-8")
            if not planned.anew:
                ended = self._in_place(path, honest, mutant.source, planned.stages[0])
                if ended != _NOT_HERE:
                    return ended if planned.reached or ended.fate != "survives" else Ended("unreached")
                planned = all_of(self._reach, asked["path"])
            for stage in planned.stages:
                ended = tried(stage, self._reach.seconds, self._loaded_anew, self._asked, self._ready)
                if ended.fate != "survives":
                    break
            return ended
        finally:
            path.write_text(honest, encoding="utf-8")
            self._clear()

    def honest(self) -> Ended:
        """All tests, without any mutant."""
        try:
            return self._in_place(Path("none"), "", "", list(self._reach.seconds))
        finally:
            self._clear()

    def _in_place(self, path: Path, honest: str, changed: str, tests: list[str]) -> Ended:
        asked = {"path": str(path), "honest": honest, "changed": changed, "tests": tests}
        self._requests.write(json.dumps(asked).encode() + b"\n")
        self._requests.flush()
        ready, _, _ = select.select([self._answers.fileno(), self._asked], [], [])
        if self._asked in ready:
            raise Alone
        if not (line := self._answers.readline()):
            raise RuntimeError("the tests could not be collected; the worker's log says why")
        return Ended(*json.loads(line))

    def _loaded_anew(self, tests: list[str], begun: Begun) -> bool:
        plugin = _Anew(tests, self._reach.seconds, begun)
        files = list(dict.fromkeys(name.partition("::")[0] for name in tests))
        pytest.main([*self._options, *files], plugins=[plugin])
        return plugin.passed

    def _clear(self) -> None:
        for each in self._scratch.iterdir():
            shutil.rmtree(each, ignore_errors=True)
            if each.exists():
                each.unlink()


def main(reach: Path, scratch: Path, tests: list[str]) -> None:
    """Answer requests from standard input on standard output, until there are no more. SIGTERM ends it as well."""
    sys.dont_write_bytecode = True
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what tests print is for the log
    for name in _HEAVY:
        importlib.import_module(name)
    adopt()
    try:
        worker = _Worker(Reach.load(reach), scratch, tests)
        for line in os.fdopen(0, "rb"):
            asked = json.loads(line)
            ended = worker.answer(asked) if asked else worker.honest()
            answers.write(json.dumps([ended.fate, ended.by]).encode() + b"\n")
            answers.flush()
    except Alone:
        return
    finally:
        sweep()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
