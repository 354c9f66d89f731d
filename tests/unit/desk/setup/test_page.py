"""docs/setup.md against the code: its commands, its files, its example."""

from __future__ import annotations

import re
from pathlib import Path

from device.desk.page.cli import page
from device.desk.setup import answers, cli, interview, writing
from device.desk.setup.draft import Draft
from device.desk.trying.cli import try_attacks
from device.paths import Paths
from tests.unit.desk.setup.people import PI

BY_TRYING = Path("/etc/doorward/tried.toml")  # what `doorctl try-attacks` writes
PAGE = (Path(__file__).parents[4] / "docs" / "setup.md").read_text(encoding="utf-8")


def test_the_example_of_answers_is_one_that_is_taken(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "answers").write_text(example, encoding="utf-8")
    draft, replaces = answers.read(tmp_path / "answers", Draft())
    interview.refuse_unfit(draft, PI)
    assert (draft.label, replaces) == ("/media/usb/front-door.label", True)


def test_the_files_on_the_page_are_those_that_are_written(tmp_path: Path) -> None:
    """At a door that has everything: a TPM for both keys, an OSDP reader, a page."""
    everything = Draft().put("vault", key_store="tpm-nv").put("keeper", key_store="tpm-nv")
    everything = everything.put("lock", osdp="/dev/serial/by-path/platform-x-port0").put("page", port=8443)
    chosen, paths = everything.config, Paths(tmp_path)
    planned = (*writing.of_the_machine(chosen, paths, watchdog=True), *writing.sheets(chosen, paths))
    places = {f"/{sheet.path.relative_to(tmp_path)}" for sheet in planned if sheet.content is not None}
    assert set(re.findall(r"`(/etc/[^`]+)`", PAGE)) - {str(BY_TRYING)} == places


def test_the_command_that_starts_the_door_is_the_one_that_is_told() -> None:
    assert f"    {cli.START}\n" in PAGE


def test_every_option_on_the_page_is_one() -> None:
    parameters = (*cli.setup.params, *try_attacks.params, *page.params)
    options = {option for parameter in parameters for option in parameter.opts}
    assert set(re.findall(r"`?(--[a-z]+)", PAGE.replace("--reload", "").replace("--now", ""))) <= options
