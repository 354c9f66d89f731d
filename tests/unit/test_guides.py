"""The pages for people: every link leads somewhere, every page is found, every command exists with its options."""

from __future__ import annotations

import fnmatch
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from device.desk.cli import cli as doorctl
from provisioning.cli import cli as doorward
from tools.guestcodes.cli import cli as guestcodes
from tools.simulator.cli import main as doorsim

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *(ROOT / "models").glob("*.md"), *ROOT.glob("*.md")])
# In these two `doorward cards` and the like are bytes that go into a key, and no command.
GUIDES = sorted({*DOCS.glob("*.md"), *ROOT.glob("*.md")} - {DOCS / "cards.md", DOCS / "formats.md"})
PROGRAMS: dict[str, click.Command] = {
    "doorctl": doorctl,
    "doorward": doorward,
    "doorsim": doorsim,
    "guestcodes": guestcodes,
}
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
TARGET = re.compile(r"`((?:tests|device|tools|models|docs|provisioning)/[\w./-]+)`|`(make [a-z-]+)`")


def anchors(page: Path) -> set[str]:
    """The names by which a hosting site lets one link to a page's headings."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def broken(page: Path) -> Iterator[str]:
    """Links of `page` to files and headings that are not there."""
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(broken(page)) == []


def test_a_link_to_nothing_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A head\n[here](#a-head) [not here](#another) [nor there](gone.md)\n")
    assert list(broken(page)) == ["#another", "gone.md"]


def test_the_first_page_leads_to_every_other() -> None:
    first = DOCS / "README.md"
    named = {link.partition("#")[0] for link in LINK.findall(first.read_text(encoding="utf-8"))}
    assert {page.name for page in DOCS.glob("*.md")} - {first.name} - named == set()


NAMED = re.compile(r"`([\w./{},*-]*\.(?:py|toml))`")


def unknown_files(text: str) -> list[str]:
    """Names of files in `text` that no file of the checkout ends with: `a.py`, `of/{a,b}.py`, `of/some_*.py`."""
    places = [
        path for top in ("device", "provisioning", "tools", "models", "tests") for path in (ROOT / top).rglob("*.*")
    ]
    known = {f"/{path.relative_to(ROOT)}" for path in places if path.suffix in (".py", ".toml")}
    wanted = []
    for name in NAMED.findall(text):
        among = re.search(r"\{(.*)\}", name)
        wanted += [name.replace(among[0], each) for each in among[1].split(",")] if among else [name]
    return [name for name in wanted if not any(fnmatch.fnmatchcase(path, f"*/{name}") for path in known)]


# What a door has and a checkout has not.
OF_A_DOOR = {"door.toml", "joined.toml", "joined-copy.toml", "tried.toml"}


def test_every_file_that_the_architecture_names_is_there() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    assert set(unknown_files(text)) <= OF_A_DOOR
    assert len(NAMED.findall(text)) > 150


def test_fault_a_file_that_was_renamed_is_told() -> None:
    text = "`device/lock/machine.py`, `of/{gone,lost}.py`, `report/{joining,claim}.py`, `walls_*.py`, `a.pyx`, `old.py`"
    assert unknown_files(text) == ["of/gone.py", "of/lost.py", "old.py"]


def commands(page: Path) -> Iterator[str]:
    """What `page` tells somebody to type, in a line of code or in a block."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"```\w*\n(.*?)```|((?:^    .+\n)+)", text, re.DOTALL | re.MULTILINE)
    lines = [line.strip() for block in blocks for part in block for line in part.splitlines()]
    for line in [*lines, *re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))]:
        for part in re.split(r"\s*(?:\||>|&&|;)\s*", line):
            found = re.match(r"(?:sudo |[a-z]+=\$\()*((?:doorctl|doorward|doorsim|guestcodes)(?=\s|$).*)", part)
            if found:
                yield re.split(r"\s{3,}", found[1])[0]


def wrong_with(command: str) -> str:
    """What is wrong with a command, or ""."""
    program, *words = shlex.split(command)
    at: click.Command = PROGRAMS[program]
    while words and isinstance(at, click.Group) and not words[0].startswith("-"):
        name = words.pop(0)
        if name not in at.commands:
            return f"{program} has no {name}"
        at = at.commands[name]
    known = {option for each in at.params for option in (*each.opts, *each.secondary_opts)} | {"--help"}
    unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]
    return f"{command}: no {', '.join(unknown)}" if unknown else ""


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_exists(page: Path) -> None:
    assert [wrong for command in commands(page) if (wrong := wrong_with(command))] == []


def test_commands_are_found_and_wrong_ones_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Type `sudo doorctl audit --nothing` and\n\n    doorward dor add front         a remark\n\n")
    assert [wrong_with(each) for each in commands(page)] == [
        "doorward has no dor",
        "doorctl audit --nothing: no --nothing",
    ]
    assert len(list(commands(DOCS / "managers-guide.md"))) > 10


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_and_target_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for path, target in TARGET.findall(page.read_text(encoding="utf-8")):
        assert not path or (ROOT / path).exists(), path
        assert not target or target.removeprefix("make ") in targets, target
