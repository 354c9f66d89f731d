"""A log counts if it is whole, as committed, and of these sources; whatever is done to either, its part is missing."""

from __future__ import annotations

import pytest

from tests.unit.card.conftest import LOGS, ROOT, Made
from tools.card.build import LONG, Asked, build, of_logs
from tools.card.logs import NoLog, newest, read


def _missing(made: Made) -> dict[str, str]:
    return {each.name: each.sentence for each in of_logs(made.tree())[2]}


def test_logs_of_these_sources_are_all_there(made: Made) -> None:
    parts, logs, missing = of_logs(made.tree())
    assert (list(parts), missing) == (["recognition", "attacks", "anonymity"], [])
    assert [log.path for log in logs] == list(LOGS.values())


@pytest.mark.parametrize(
    ("part", "kind", "old", "new"),
    [
        ("recognition", "accuracy", "0.0201", "0.0101"),
        ("attacks", "attack-lab", '"count": 1, "trials": 18', '"count": 0, "trials": 18'),
        ("anonymity", "anonymity", "+1.6", "+1.5"),
    ],
)
def test_a_log_edited_by_one_digit_shows_nothing(made: Made, part: str, kind: str, old: str, new: str) -> None:
    made.edits(LOGS[kind], old, new)
    missing = _missing(made)
    assert list(missing) == [part]
    assert LOGS[kind] in missing[part]
    assert "somebody changed" in missing[part]


@pytest.mark.parametrize(
    ("part", "kind"), [("recognition", "accuracy"), ("attacks", "attack-lab"), ("anonymity", "anonymity")]
)
def test_a_source_that_changed_after_the_log_is_named(made: Made, part: str, kind: str) -> None:
    made.edits(f"src/{kind}.py", "decides", "decided")
    missing = _missing(made)
    assert list(missing) == [part]
    assert f"changed since it ran: src/{kind}.py" in missing[part]
    assert LOGS[kind] in missing[part]


def test_a_log_of_other_sources_is_refused_also_with_a_sum_of_its_own(made: Made) -> None:
    made.edits(LOGS["attack-lab"], "src/attack-lab.py", "src/another.py")
    made.seals()
    missing = _missing(made)
    assert list(missing) == ["attacks"]
    assert "src/another.py, src/attack-lab.py" in missing["attacks"]


def test_a_log_without_sources_counts_only_by_a_clean_commit_that_has_these_files(made: Made) -> None:
    text = (made.root / LOGS["anonymity"]).read_text(encoding="utf-8")
    bare = "\n".join(line for line in text.splitlines() if not line.startswith("source: "))
    made.puts(LOGS["anonymity"], bare)
    made.seals()
    tree = made.tree()
    present = (made.root / "src/anonymity.py").read_bytes()

    def knows(commit: str, path: str) -> bytes | None:
        return present if (commit, path) == ("0123456", "src/anonymity.py") else None

    assert not of_logs(type(tree)(tree.root, tree.commit, True, knows, tree.kinds))[2]
    assert "changed since it ran: src/anonymity.py" in _missing(made)["anonymity"]
    for commit in ("0123456 with uncommitted changes", "0123456-dirty", "as in 0123456"):
        made.puts(LOGS["anonymity"], bare.replace("commit: 0123456", f"commit: {commit}"))
        made.seals()
        other = of_logs(type(tree)(tree.root, tree.commit, True, knows, tree.kinds))[2]
        assert "nor one clean commit" in other[0].why


def test_a_log_that_is_gone_or_unsealed_or_rubbish_is_missing(made: Made) -> None:
    (made.root / LOGS["accuracy"]).unlink()
    made.puts("docs/logs/SHA256SUMS", "")
    missing = _missing(made)
    assert "there is no such log" in missing["recognition"]
    assert "its sum is not in docs/logs/SHA256SUMS" in missing["attacks"]
    made.logs()
    made.puts(LOGS["accuracy"], "{")
    made.puts(LOGS["attack-lab"], "nothing here")
    made.edits(LOGS["anonymity"], "Seeded leaks", "Other leaks")
    made.seals()
    missing = _missing(made)
    assert "cannot be read" in missing["recognition"]
    assert "cannot be read" in missing["attacks"]
    assert "no table called Seeded leaks" in missing["anonymity"]


def test_the_newest_log_counts_by_day_and_number(made: Made) -> None:
    for name in ("2026-01-02-anonymity-10.txt", "2026-01-02-anonymity-9.txt", "2026-01-03-anonymity-tests.txt"):
        made.puts(f"docs/logs/{name}", "x")
    assert newest(made.root, "anonymity", "txt") == "docs/logs/2026-01-02-anonymity-10.txt"
    made.puts("docs/logs/2026-02-01-anonymity.txt", "x")
    assert newest(made.root, "anonymity", "txt") == "docs/logs/2026-02-01-anonymity.txt"
    with pytest.raises(NoLog, match="no such log"):
        newest(made.root, "weather", "txt")


def test_the_worst_group_of_adults_is_no_group_of_children(made: Made) -> None:
    """The threshold rests on adults: a child's face never opens alone, and would hide how adults fare."""
    figures = of_logs(made.tree())[0]["recognition"].figures
    told = [figures[key].text for key in ("worst", "worst_group", "worst_child", "worst_child_group")]
    assert told == ["3 %", "some, women", "18 %", "child, female"]


@pytest.mark.parametrize("asked", LONG, ids=lambda asked: asked.kind)
def test_the_newest_log_of_each_kind_has_its_sum_and_can_be_read(asked: Asked) -> None:
    """Whoever adds a log, or adds to one, writes its line: sha256sum LOG, in docs/logs/SHA256SUMS."""
    log = read(ROOT, newest(ROOT, asked.kind, asked.ending))
    assert asked.reader(log).figures


@pytest.mark.slow
def test_two_answered_challenges_stand_beside_one_and_what_was_not_tried_says_so(made: Made) -> None:
    html = build(made.tree()).html
    assert "Face alone: two of a window" in html
    rows = [row for row in html.split("<tr>") if row.startswith("<td>") and 'data-key="attacks.' in row]
    assert [row.count("not tried") for row in rows] == [0, 1]
    made.puts(
        LOGS["attack-lab"], (made.root / LOGS["attack-lab"]).read_text(encoding="utf-8").replace("twice", "often")
    )
    made.seals()
    assert "Face alone" not in build(made.tree()).html
