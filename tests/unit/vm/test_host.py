"""What the machine is built on: what is missing is named, and what is cached is whole and of today."""

from pathlib import Path

import pytest

from tools.vm import host
from tools.vm.say import VmFault


def test_what_is_missing_is_named_by_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    assert host.missing_packages({"sh": "dash", "no-such-program-here": "a-package"}) == ["a-package"]
    monkeypatch.setattr("os.getuid", lambda: 1000)
    with pytest.raises(VmFault, match=r"please run: sudo apt-get .* install .* a-package"):
        host.need({"no-such-program-here": "a-package"})


def test_without_root_an_image_is_refused_with_the_command_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: 1000)
    with pytest.raises(VmFault, match="sudo make test-system"):
        host.need_root()


def test_a_digest_follows_names_contents_and_modes(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "a"
    file.parent.mkdir()
    file.write_text("1")
    file.chmod(0o644)
    first = host.digest([file.parent])
    assert host.digest([file.parent]) == first
    seen = {first, host.digest([file.parent, "more"])}
    file.write_text("2")
    seen.add(host.digest([file.parent]))
    file.chmod(0o755)
    seen.add(host.digest([file.parent]))
    file.rename(file.with_name("b"))
    seen.add(host.digest([file.parent]))
    assert len(seen) == 5


def test_what_failed_half_way_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "CACHE", tmp_path)

    def half(into: Path) -> None:
        into.mkdir()
        raise VmFault("the mirror went away")

    with pytest.raises(VmFault):
        host.kept("thing", "1", half)
    assert not (tmp_path / "thing-1").exists()
    made: list[Path] = []

    def whole(into: Path) -> None:
        made.append(into)
        into.write_text("whole")

    assert host.kept("thing", "1", whole).read_text() == "whole"
    assert host.kept("thing", "1", whole) == tmp_path / "thing-1"
    assert len(made) == 1, "what is there is not made again"


def test_a_program_that_fails_ends_in_one_sentence_that_names_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "LOGS", tmp_path)
    with pytest.raises(VmFault, match=r"sh failed with 3; all it said stands in .*probe\.log"):
        host.run("probe", ["sh", "-c", "echo why >&2; exit 3"])
    assert "why" in (tmp_path / "probe.log").read_text()
