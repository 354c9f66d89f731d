"""Which lines of a source are not as they were in an earlier commit, so that only what is new has to be mutated.

Rules kept here:
- Told apart is what runs: the outermost function or method, else the statement of the module or the class; without
  comments, docstrings, and the places they stand at. What moved is not new; what was renamed or moved into another
  class is.
- A function that is as it was is left out, though what it calls may have changed: the tests of that change are run.
- What cannot be read from git is never taken for "as it was": it is one sentence, and nothing runs.
"""

from __future__ import annotations

import ast
import copy
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

Places = Callable[[str, str], Sequence[range]]
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Unknown(Exception):
    """What was there before cannot be read."""


@dataclass(frozen=True, slots=True)
class _Unit:
    scope: str
    text: str
    lines: range


def everywhere(_path: str, source: str) -> Sequence[range]:
    """All lines of `source`, of whatever file."""
    return [range(1, len(source.splitlines()) + 1)]


def changed(before: str, now: str) -> list[range]:
    """The lines of the source `now` that hold what `before` does not. Raises SyntaxError."""
    known = {(unit.scope, unit.text) for unit in _units(ast.parse(before), "")}
    return [unit.lines for unit in _units(ast.parse(now), "") if (unit.scope, unit.text) not in known]


def since(commit: str, tree: Path) -> Places:
    """Says for a file of `tree` which of its lines are not as they were in `commit`. Raises Unknown."""
    if _git(tree, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}") is None:
        raise Unknown(f"Git knows no commit {commit!r} here, so nobody can tell what is new since.")

    def places(path: str, source: str) -> Sequence[range]:
        listed = _git(tree, "ls-tree", "--name-only", commit, "--", path)
        if listed is None:
            raise Unknown(f"Git cannot tell whether {path} was there in {commit}.")
        if not listed:
            return everywhere(path, source)
        if (before := _git(tree, "show", f"{commit}:{path}")) is None:
            raise Unknown(f"Git cannot show {path} as it was in {commit}.")
        return changed(before, source)

    return places


def _units(node: ast.Module | ast.ClassDef, scope: str) -> Iterator[_Unit]:
    for statement in node.body:
        first, last = statement.lineno, statement.end_lineno or statement.lineno
        match statement:
            case ast.ClassDef(body=[head, *_]):
                alone = copy.copy(statement)
                alone.body = [ast.Pass()]
                yield _Unit(scope, ast.unparse(alone), range(first, max(first, head.lineno - 1) + 1))
                yield from _units(statement, f"{scope}{statement.name}.")
            case ast.Expr(value=ast.Constant(value=str())):
                continue
            case _:
                yield _Unit(scope, _text(statement), range(first, last + 1))


def _text(statement: ast.stmt) -> str:
    plain = copy.deepcopy(statement)
    for node in ast.walk(plain):
        if isinstance(node, _Function | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(plain)


def _git(tree: Path, *words: str) -> str | None:
    """What git answers; None where it refuses. Raises Unknown without git."""
    try:
        done = subprocess.run(["git", "-C", tree, *words], capture_output=True, check=False)
    except FileNotFoundError:
        raise Unknown("There is no git here, so nobody can tell what is new since then.") from None
    return done.stdout.decode() if done.returncode == 0 else None
