"""Small changes to a source, each of them a mistake somebody could have made. Pure: text in, texts out.

Rules kept here:
- One change a mutant. Comments and docstrings are not changed, nor what only a type checker reads, nor decorators.
- A mutant is named by place and change, so that a run can be taken up again and a survivor be found in the source.
- A mutant says where it can be noticed: on the lines of its statement, and within its function. Whether it is only
  there, nobody believes it: whoever changes a running program compares the rest (mutation_swap).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_SWAPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_UNREAD = {"annotation", "returns", "decorator_list", "type_params"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed source. `name` is "line:column what became of it".

    `reached_by`: the first and the last line of what runs if the change does. `body`: the lines of the outermost
    function around it; None for what runs while the module is loaded. All lines are those of the honest source.
    """

    name: str
    line: int
    source: str
    reached_by: tuple[int, int]
    body: tuple[int, int] | None


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of the Python `source`, in the order of its lines. Raises SyntaxError."""
    honest = ast.parse(source)
    places, parents = list(_places(honest)), _parents(honest)
    order = sorted(range(len(places)), key=lambda at: (places[at].lineno, places[at].col_offset, at))
    for at in order:
        for what in _changes(places[at]):
            tree = ast.parse(source)
            node = list(_places(tree))[at]
            _change(tree, node, what)
            name = f"{node.lineno}:{node.col_offset} {what}"
            changed = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
            yield Mutant(name, node.lineno, changed, _reached_by(places[at], parents), _body(places[at], parents))


def _parents(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def _reached_by(node: ast.expr | ast.stmt, parents: dict[ast.AST, ast.AST]) -> tuple[int, int]:
    statement: ast.AST = node
    while not isinstance(statement, ast.stmt):
        statement = parents[statement]
    last = statement.end_lineno or statement.lineno
    match statement:
        case ast.Match(subject=subject):
            last = subject.end_lineno or subject.lineno
        case _ if isinstance(body := getattr(statement, "body", None), list):
            last = max(statement.lineno, body[0].lineno - 1)
    return min(statement.lineno, node.lineno), max(last, 0 if node is statement else node.end_lineno or 0)


def _body(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> tuple[int, int] | None:
    found, inner = None, node
    while (outer := parents.get(inner)) is not None:
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef) and inner in outer.body:
            found = (outer.body[0].lineno, outer.end_lineno or outer.lineno)
        inner = outer
    return found


def _places(node: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    for name, value in ast.iter_fields(node):
        if name in _UNREAD or (isinstance(node, ast.AnnAssign) and name == "target"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                if isinstance(child, ast.expr | ast.stmt):
                    yield child
                yield from _places(child)


def _changes(node: ast.AST) -> list[str]:
    match node:
        case ast.Compare(ops=ops):
            return [f"{type(op).__name__} -> {_SWAPPED[type(op)].__name__} #{i}" for i, op in enumerate(ops)]
        case ast.UnaryOp(op=ast.Not()):
            return ["not removed"]
        case ast.BoolOp(op=op, values=values):
            return [f"{type(op).__name__} swapped", *(f"operand {i} dropped" for i in range(len(values)))]
        case ast.Constant(value=bool()):
            return ["turned round"]
        case ast.Constant(value=int()):
            return ["+1", "-1"]
        case ast.If(orelse=[], body=[*_, last]) if isinstance(last, _LEAVES):
            return ["condition negated", "guard dropped"]
        case ast.If() | ast.IfExp():
            return ["condition negated"]
    return []


def _change(tree: ast.AST, node: ast.expr | ast.stmt, what: str) -> None:
    match node:
        case ast.Compare(ops=ops):
            at = int(what.rpartition("#")[2])
            ops[at] = _SWAPPED[type(ops[at])]()
        case ast.UnaryOp(operand=operand):
            _replace(tree, node, operand)
        case ast.BoolOp(op=op, values=values) if what.endswith("swapped"):
            node.op = ast.Or() if isinstance(op, ast.And) else ast.And()
        case ast.BoolOp(values=values):
            del values[int(what.split()[1])]
            if len(values) == 1:
                _replace(tree, node, values[0])
        case ast.Constant(value=bool() as flag):
            node.value = not flag
        case ast.Constant(value=int() as number):
            node.value = number + (1 if what == "+1" else -1)
        case ast.If() if what == "guard dropped":
            _replace(tree, node, ast.Pass())
        case ast.If(test=test) | ast.IfExp(test=test):
            node.test = ast.UnaryOp(ast.Not(), test)


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
                return
            if isinstance(value, list) and any(item is old for item in value):
                value[:] = [new if item is old else item for item in value]
                return
