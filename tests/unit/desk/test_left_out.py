"""Which paths dpkg leaves out, by its settings as people write them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.desk.upkeep.left_out import Rule, changed, left_out, rules

PAGE, NOTICE, CODE = "/usr/share/doc/doorward/a.md", "/usr/share/doc/doorward/copyright", "/usr/lib/doorward/lock.py"
NO_MANUALS = (Rule("/usr/share/doc/*", out=True), Rule("/usr/share/doc/*/copyright", out=False))


def written(folder: Path, **files: str) -> tuple[Rule, ...]:
    """Settings of these names in dpkg's folder; `cfg` is dpkg's own file."""
    (folder / "dpkg.cfg.d").mkdir()
    for name, text in files.items():
        (folder / ("dpkg.cfg" if name == "cfg" else f"dpkg.cfg.d/{name}")).write_text(text)
    return rules(folder)


def test_last_rule_that_fits_decides() -> None:
    assert left_out(PAGE, NO_MANUALS)
    assert not left_out(NOTICE, NO_MANUALS)
    assert left_out(NOTICE, NO_MANUALS[::-1])
    assert not left_out(CODE, NO_MANUALS)
    assert not left_out(PAGE, ())


@pytest.mark.parametrize(
    "line",
    [
        "path-exclude=/usr/share/doc/*",
        "path-exclude /usr/share/doc/*",
        "path-exclude =/usr/share/doc/*",
        "path-exclude=  /usr/share/doc/*  ",
        'path-exclude="/usr/share/doc/*"',
        "path-exclude='/usr/share/doc/*'",
    ],
)
def test_rule_is_read_however_dpkg_takes_it(tmp_path: Path, line: str) -> None:
    assert written(tmp_path, cfg=f"# manuals\nforce-unsafe-io\n\n{line}\n") == NO_MANUALS[:1]


@pytest.mark.parametrize(
    "line", ["#path-exclude=/usr/*", "path-excluded=/usr/*", "path-exclude=", " path-exclude=/usr/*"]
)
def test_line_that_dpkg_does_not_take_for_a_rule_leaves_nothing_out(tmp_path: Path, line: str) -> None:
    assert written(tmp_path, cfg=f"{line}\n") == ()


def test_folder_comes_first_in_the_order_of_names_and_other_files_do_not_count(tmp_path: Path) -> None:
    files = {name: f"path-exclude=/{name}\n" for name in ("cfg", "b", "a", "10_x", "old.bak", ".swp")}
    assert [rule.pattern for rule in written(tmp_path, **files)] == ["/10_x", "/a", "/b", "/cfg"]


def test_machine_without_settings_leaves_nothing_out(tmp_path: Path) -> None:
    assert rules(tmp_path) == ()


def test_what_is_changed_or_lost_is_told_and_what_was_left_out_is_not() -> None:
    said = f"missing     {PAGE}\n??5??????   {NOTICE}\nmissing   c {CODE}\n"
    assert changed(said, NO_MANUALS) == [NOTICE, CODE]
    assert changed(said, ()) == [PAGE, NOTICE, CODE]
    assert changed(f"??5??????   {PAGE}\n", NO_MANUALS) == [PAGE], "it is there, so it was not left out"
    assert changed("", NO_MANUALS) == []


@given(st.lists(st.tuples(st.sampled_from(["/usr/share/*", "/usr/share/doc/*", PAGE, NOTICE]), st.booleans())))
def test_code_is_never_left_out_by_a_rule_for_something_else(listed: list[tuple[str, bool]]) -> None:
    by = tuple(Rule(pattern, out=out) for pattern, out in listed)
    assert changed(f"missing     {CODE}\n", by) == [CODE]
    fitting = [rule.out for rule in by if rule.pattern == PAGE or rule.pattern.endswith("*")]
    assert left_out(PAGE, by) == bool(fitting and fitting[-1])
