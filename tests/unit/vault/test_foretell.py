"""What a budget will cost is told by the numbers of docs/budget.md, which are those vault decides by."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

from device.vault import foretell

PAGE = (Path(__file__).parents[3] / "docs" / "budget.md").read_text(encoding="utf-8")


def told(toml: str) -> dict[str, float]:
    out = io.StringIO()
    assert foretell.run(io.StringIO(toml), out) == 0
    answer: dict[str, float] = json.loads(out.getvalue())
    return answer


def test_the_default_budget_costs_what_the_page_says() -> None:
    rows = re.findall(
        r"^\| (\d+) \| \S+ \| [^|]+ \| [\d.]+ \| [\d.]+ \| ([\d.]+)% \| [\d.]+ \| [\d.]+% \| (yes|no)",
        PAGE,
        re.MULTILINE,
    )
    enough = [(int(faces), float(refused)) for faces, refused, answer in rows if answer == "yes"]
    answer = told("")
    assert (1, round(answer["alone"] * 100, 1)) == enough[0]
    assert answer["faces"] >= enough[-1][0]
    assert (answer["faces"], round(answer["at_most"] * 100, 1)) == enough[-1]


def test_a_stricter_budget_never_costs_residents_less() -> None:
    answers = [told(f"[vault]\nstrangers_per_day = {per_day}\n") for per_day in (5, 10, 50, 10000)]
    assert [each["faces"] for each in answers] == sorted((each["faces"] for each in answers), reverse=True)
    assert [each["alone"] for each in answers] == sorted(each["alone"] for each in answers)
    assert answers[-1]["faces"] == 0


def test_a_wrong_configuration_is_one_sentence() -> None:
    out = io.StringIO()
    assert foretell.run(io.StringIO("[vault]\nstrangers_per_day = 1\n"), out) == 1
    assert "must be from 5" in json.loads(out.getvalue())["refused"]
