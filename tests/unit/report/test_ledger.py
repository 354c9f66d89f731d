"""What people may read about what left."""

from pathlib import Path

import pytest

from device.paths import Paths
from device.report.ledger import FileLedger, NoLedger, ledger_for


def test_a_door_in_service_keeps_no_diary(tmp_path: Path) -> None:
    ledger = ledger_for(Paths(tmp_path), {})
    ledger.note("doorward/x/report", b"{}")
    assert isinstance(ledger, NoLedger)
    assert list(tmp_path.iterdir()) == []


def test_every_message_is_one_line_with_its_size(tmp_path: Path) -> None:
    ledger = ledger_for(Paths(tmp_path), {"DOORWARD_LEDGER": "1"})
    ledger.note("doorward/x/report", b'{"v":1}'.ljust(384))
    ledger.note("doorward/x/availability", b"online")
    text = (tmp_path / "run" / "doorward" / "report" / "ledger").read_text()
    assert text == 'doorward/x/report\t384\t{"v":1}\ndoorward/x/availability\t6\tonline\n'


def test_a_ledger_that_cannot_be_written_stops_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    ledger = FileLedger(tmp_path / "file" / "ledger")
    ledger.note("a", b"b")
    ledger.note("a", b"b")
    assert capfd.readouterr().err.count("cannot be written") == 1
