"""docs/managers-guide.md as a manager follows it: each command in its place, and what it says is there afterwards.

What needs somebody at a door, or a broker that is up, is left out here and stands in `tests/integration/join`.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from nacl.public import PrivateKey

from tests.unit.provisioning.doors import doorward

PAGE = (Path(__file__).parents[3] / "docs" / "managers-guide.md").read_text(encoding="utf-8")
ELSEWHERE = ("doorward door approve", "doorward door send")
HOURS = 'zone = "Europe/Berlin"\n[[schedule]]\nopens = ["pin", "card"]\nhours.every-day = ["00:00-24:00"]\n'

pytestmark = pytest.mark.slow


def lines(page: str) -> list[str]:
    """What stands in the blocks of `page` to be typed, without the remarks behind it."""
    blocks = re.findall(r"^    (\S.*)$", page, re.MULTILINE)
    return [re.split(r"\s{3,}", line)[0] for line in blocks if line.startswith(("doorward", "export"))]


def followed(page: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Do all of it in `folder`; what each command printed."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DOORWARD_PASSPHRASE", "only for trying")
    monkeypatch.setenv("DOORWARD_ALARM_PASSPHRASE", "only for trying")
    (folder / "hours.toml").write_text(HOURS, encoding="utf-8")
    key = doorward("alarm", "key", "--key", "alarm.key").stdout.split()[-1]
    printed: dict[str, str] = {}
    for line in lines(page):
        if line.startswith("export"):
            for name, _, value in (word.partition("=") for word in line.split()[1:]):
                monkeypatch.setenv(name, value.replace("~", str(folder)).replace("$PWD", str(folder)))
        elif not line.startswith(ELSEWHERE):
            said = doorward(*shlex.split(line.replace("FILE", "hours.toml").replace("HEX", key))[1:])
            assert said.exit_code == 0, f"{line}: {said.stderr}"
            printed[line] = said.stdout
        if line.startswith("doorward door add"):  # what its approval would bring
            document_key = bytes(PrivateKey.generate().public_key).hex()
            assert doorward("door", "identify", "front", "--key", document_key).exit_code == 0
    return printed


def test_the_guide_can_be_followed_from_its_top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = followed(PAGE, tmp_path, monkeypatch)
    assert len(printed) > 7
    assert "\nDW1:" in printed["doorward door add front"], "it prints the label, as the guide says"
    assert (tmp_path / "slot-12.doc").exists(), "the file that the guide sends"
    assert (tmp_path / "office" / "manager.pem").exists()


def test_fault_a_guide_that_forgets_the_broker_gets_no_label_and_the_command_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgetful = re.sub(r"^    export DOORWARD_BROKER.*$", "", PAGE, flags=re.MULTILINE)
    assert "DW1:" not in followed(forgetful, tmp_path, monkeypatch)["doorward door add front"]
    said = doorward("door", "add", "back")
    assert said.stderr.startswith("No label was made")
    assert 'doorward label new "back" --broker' in said.stderr
    assert doorward("label", "new", "back", "--broker", "mqtts://broker.example").exit_code == 0
    assert doorward("door", "add", "side", "--no-label").stderr == ""
