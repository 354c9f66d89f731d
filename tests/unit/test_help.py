"""What commands say of themselves: click's mark that keeps an example on its own line is no text for people."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LITERAL = "\\b\n"  # what a raw docstring makes of click's control character


def printed(source: str) -> list[str]:
    """The names of functions in `source` whose docstring would print the mark itself."""
    functions = [each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.FunctionDef)]
    return [each.name for each in functions if LITERAL in (ast.get_docstring(each, clean=False) or "")]


@pytest.mark.parametrize("part", ["device", "provisioning", "tools"])
def test_no_command_prints_the_mark(part: str) -> None:
    found = {str(path.relative_to(ROOT)): printed(path.read_text("utf-8")) for path in (ROOT / part).rglob("*.py")}
    assert found
    assert not {path: names for path, names in found.items() if names}


def test_fault_a_raw_docstring_is_found() -> None:
    assert printed('def main():\n    r"""Do it.\n\n    \\b\n    Example: do\n    """\n') == ["main"]
    assert not printed('def main():\n    """Do it.\n\n    \\b\n    Example: do\n    """\n')
