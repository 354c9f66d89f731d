"""What commands say of themselves: an example that works, which version they are, and what their exit codes mean.

click's mark that keeps an example on its own line is no text for people.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from device.version import software_version
from provisioning.supervising import TESTS_A_DAY
from tests.unit.test_guides import PROGRAMS, wrong_with
from tools.demo import __main__ as demo
from tools.simulator import trial

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


# ---- examples


def commands(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    """Each command below `command`, itself included, as people type it; and its help as it was written."""
    yield name, inspect.cleandoc(command.help or "")
    if isinstance(command, click.Group):
        for each in command.commands:
            yield from commands(command.commands[each], f"{name} {each}")


def wrong_examples(name: str, written: str) -> list[str]:
    """What is wrong with the examples in the help of the command `name`; the mark keeps each on a line of its own."""
    found = re.search(r"\x08\n\s*Example:(.*?)(?:\n\s*\n|\Z)", written, re.DOTALL)
    lines = [line.strip() for line in found[1].splitlines() if line.strip()] if found else []
    if not any(line.startswith(name) for line in lines):
        return [f"{name} has no example of itself on a line of its own"]
    return [wrong for line in lines if (wrong := wrong_with(line))]


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_every_command_has_an_example_that_its_own_options_fit(program: str) -> None:
    asked = list(commands(PROGRAMS[program], program))
    assert len(asked) > 3
    groups = {name.rpartition(" ")[0] for name, _ in asked}
    for name, written in asked:
        if name in groups:
            assert "\x08\nExample:" in written, name
        else:
            assert wrong_examples(name, written) == []


def test_fault_an_example_of_another_command_or_with_a_wrong_option_is_told() -> None:
    assert wrong_examples("doorctl status", "Say it.\n\n\x08\nExample: doorctl status --colour")
    assert wrong_examples("doorctl status", "Say it.\n\n\x08\nExample: doorctl apply x.doc")
    assert wrong_examples("doorctl status", "Say it.\n\nExample: doorctl status")
    assert not wrong_examples("doorctl status", "Say it.\n\n\x08\nExample: doorctl status --json")


def test_watch_says_as_many_tests_of_alarms_as_doors_send() -> None:
    said = CliRunner().invoke(PROGRAMS["doorward"], ["watch", "--help"]).stdout
    assert f"about {TESTS_A_DAY:g} tests a day" in " ".join(said.split())


# ---- version and exit codes


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_each_program_says_its_version_and_what_its_exit_codes_mean(program: str) -> None:
    run = CliRunner()
    version = run.invoke(PROGRAMS[program], ["--version"], prog_name=program)
    assert (version.exit_code, version.stdout) == (0, f"{program} {software_version()}\n")
    assert "Exit codes: 0 done; 1 refused" in " ".join(run.invoke(PROGRAMS[program], ["--help"]).stdout.split())


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_what_is_not_understood_ends_with_2_as_the_help_says(program: str) -> None:
    assert CliRunner().invoke(PROGRAMS[program], ["--colour"]).exit_code == 2
    assert CliRunner().invoke(PROGRAMS[program], ["no-such-command"]).exit_code == 2


# What is refused with 1, by each: a file that is not there, a fleet that was never begun, a secret of letters, no door.
REFUSED = {
    "doorctl": ["receipt", "verify", "{folder}/nothing"],
    "doorward": ["fleet", "key", "--fleet", "{folder}/nothing"],
    "guestcodes": ["once", "--flat", "12"],
    "doorsim": ["state", "--root", "{folder}/nothing"],
}


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_what_is_refused_ends_with_1_and_one_sentence(program: str, tmp_path: Path) -> None:
    words = [word.format(folder=tmp_path) for word in REFUSED[program]]
    said = CliRunner(env={"GUESTCODES_SECRET": "no secret"}).invoke(PROGRAMS[program], words)
    assert said.exit_code == 1
    assert said.stdout == ""
    assert said.stderr.count("\n") == 1


# ---- commands that take next to nothing


def test_the_demo_says_what_it_is_and_plays_nothing_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main(["--help"]) == 0
    assert "DEMO=show" in capsys.readouterr().out
    assert demo.main(["story"]) == 2
    assert "takes no arguments" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["--help", "soon", "nan", "inf", "0", "-1"])
def test_a_trial_whose_patience_is_no_time_is_one_sentence_and_starts_no_door(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trial.main([word]) == 2
    assert capsys.readouterr().err.count("\n") == 1
