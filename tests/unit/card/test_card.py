"""A whole card: strict where all is measured, refused where something is not, and a draft of the real tree."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.unit.card.conftest import Made
from tools.card import __main__ as program
from tools.card import git, page
from tools.card.build import LONG, Card, build, tree
from tools.card.here import NotHere, limits, support

ROOT = Path(__file__).resolve().parents[3]
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs systemd-analyze: apt-get install systemd"
)


@pytest.fixture(scope="module")
def real() -> Card:
    """The card of this very tree."""
    return build(tree(ROOT, git.present(ROOT), partial(git.at_commit, ROOT)))


@needs_systemd
@pytest.mark.slow
def test_a_tree_where_all_is_measured_gives_a_releases_card(made: Made) -> None:
    card = build(made.tree())
    assert card.missing == ()
    told = json.loads(card.data)
    assert told["release"]
    assert told["figures"]["accuracy.door.0.fnmr"] == {
        "value": 0.0201, "text": "2.0 %", "source": "docs/logs/2026-01-02-accuracy.json",
        "place": "verified.0.door.0.fnmr.value",
    }  # fmt: skip
    for said in ("2.0 %", "1 to 3.6 %", "print, flat", "+1.6", "2031-01-02", "0123456789ab"):
        assert said in card.html
    assert "Not measured" not in card.html


@needs_systemd
@pytest.mark.slow
def test_a_figure_typed_into_the_template_makes_no_card(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt = tmp_path / "spoilt"
    shutil.copytree(page.HERE, spoilt)
    template = spoilt / "card.html.j2"
    text = template.read_text(encoding="utf-8")
    template.write_text(text.replace("{{ n.largest | figure }}", "0.1"), encoding="utf-8")
    monkeypatch.setattr(page, "HERE", spoilt)
    with pytest.raises(page.Untraced, match=r"comes from no log.*0\.1"):
        build(made.tree())


@needs_systemd
@pytest.mark.slow
def test_the_draft_of_this_tree_has_each_part_or_says_that_it_has_not(real: Card) -> None:
    missing = {each.name: each for each in real.missing}
    for asked in LONG:
        prefix = {"recognition": "accuracy."}.get(asked.name, f"{asked.name}.")
        there = any(key.startswith(prefix) for key in real.figures)
        assert there != (asked.name in missing), asked.name
    assert real.html.count("Not measured on this state.") == len({each.name for each in LONG} & missing.keys())
    for each in real.missing:
        assert each.why


@needs_systemd
@pytest.mark.slow
def test_every_limit_of_security_md_stands_on_the_page_and_in_no_other_words(real: Card) -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    section = text.partition("## What we do not stop\n")[2].partition("\n## ")[0].partition("\n[docs/attacks.md]")[0]
    told = json.loads(real.data)["figures"]
    assert len([key for key in told if key.startswith("limits.")]) == section.count("\n- ")


@needs_systemd
@pytest.mark.slow
def test_the_parts_list_is_cyclonedx_of_the_doors_locks_with_the_networks(real: Card) -> None:
    from cyclonedx.schema import SchemaVersion  # slow to load, and only here
    from cyclonedx.validation.json import JsonStrictValidator

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(real.parts) is None
    told = json.loads(real.parts)
    names = {each["name"] for each in told["components"]}
    assert {"numpy", "libosdp", "yunet", "facemesh", "sface"} <= names
    assert not names & {"pytest", "ruff", "hypothesis"}
    lock = (ROOT / "requirements/device-trixie-arm64.txt").read_text(encoding="utf-8")
    wanted = {line.partition("==")[0] for line in lock.splitlines() if "==" in line}
    assert wanted <= names
    assert all(each["hashes"] for each in told["components"] if each["type"] == "machine-learning-model")


@needs_systemd
@pytest.mark.slow
def test_a_release_without_a_log_writes_no_file_and_says_which(made: Made, tmp_path: Path) -> None:
    made.edits("src/accuracy.py", "decides", "decided")
    out = tmp_path / "out"

    def spoilt(*_: object) -> object:
        return made.tree()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "tree", spoilt)
        refused = CliRunner().invoke(program.main, ["--out", str(out)])
        assert refused.exit_code == 1
        assert "recognition (failures, refusals, false matches, groups)" in refused.output
        assert "docs/logs/2026-01-02-accuracy.json: changed since it ran: src/accuracy.py" in refused.output
        assert not out.exists()
        draft = CliRunner().invoke(program.main, ["--draft", "--out", str(out)])
        assert draft.exit_code == 0, draft.output
        assert sorted(path.name for path in out.iterdir()) == ["card.html", "card.json", "sbom.cdx.json"]
        assert "Not measured on this state." in (out / "card.html").read_text(encoding="utf-8")


def test_a_version_is_supported_for_five_years_or_there_is_no_card(made: Made) -> None:
    assert support(made.root).until
    made.edits("CHANGELOG.md", "## 0.1.0 — 2026-01-02", "## 0.1.0 — unreleased")
    with pytest.raises(NotHere, match=r"released on 2026-01-02, and CHANGELOG\.md does not"):
        support(made.root)
    made.edits("CHANGELOG.md", "## 0.1.0 — unreleased", "## 0.1.0 — 2026-01-02")
    made.edits("SECURITY.md", "2031-01-02", "2031-01-01")
    with pytest.raises(NotHere, match="less than 5 years"):
        support(made.root)
    made.edits("SECURITY.md", "2031-01-01", "some day")
    with pytest.raises(NotHere, match="no dates"):
        support(made.root)
    made.edits("pyproject.toml", 'version = "0.1.0"', 'version = "0.2.0"')
    with pytest.raises(NotHere, match=r"no line for 0\.2\.0"):
        support(made.root)


def test_a_page_that_lost_its_limits_is_refused(made: Made) -> None:
    made.edits("SECURITY.md", "## What we do not stop", "## What else")
    with pytest.raises(NotHere, match="What we do not stop"):
        limits(made.root)
