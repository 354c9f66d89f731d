"""guestcodes: what it prints opens the door, what it is told stays secret, and what is wrong is said in a sentence."""

from __future__ import annotations

import datetime as dt
import json
import re
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from device import codes
from device.edges import Room
from device.wire import Outcome, Secret
from tests.unit.keeper.bench import PIN, Door
from tools.guestcodes import cli, making

SECRET = codes.secret("12345678901234")
KEY = bytes(range(32))


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "MEMORY_BYTES", 8192)
    monkeypatch.setattr(codes, "PASSES", 1)
    monkeypatch.setenv("GUESTCODES_SECRET", SECRET)


def guestcodes(*words: str, typed: str | None = None) -> Result:
    result = CliRunner().invoke(cli.cli, words, input=typed, prog_name="guestcodes")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def facts(*words: str) -> dict[str, object]:
    result = guestcodes(*words, "--json")
    assert result.exit_code == 0, result.output
    (line,) = result.stdout.splitlines()
    said: dict[str, object] = json.loads(line)
    assert said.pop("ok") is True
    return said


def made(*words: str) -> list[dict[str, object]]:
    found = facts(*words)["codes"]
    assert isinstance(found, list)
    return found


def refused(result: Result, pattern: str, code: int = 1) -> None:
    assert result.exit_code == code
    assert result.stdout == ""
    assert re.fullmatch(r"[A-Z][^\n]*\.\n", result.stderr), result.stderr
    assert re.search(pattern, result.stderr), result.stderr
    assert SECRET not in result.stderr


def test_a_secret_made_here_and_codes_made_from_it_open_a_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first command to the open door, at the price of a test (`Door` and `_cheap` agree on it)."""
    secret = str(facts("new")["secret"])
    monkeypatch.setenv("GUESTCODES_SECRET", secret)
    door = Door(tmp_path / "keeper")
    door.move_in()
    assert door.set_secret(Secret.GUESTS, PIN, secret) is Outcome.ACCEPTED
    today = str(codes.date_of(door.day))
    for code in (
        *made("once", "--flat", "12", "--count", "3"),
        *made("days", "--flat", "12", "--from", today, "--to", today),
    ):
        flat, digits, rest = str(code["keys"]).replace(" ", "").split("#")
        assert (flat, rest) == ("12", "")
        assert digits == code["digits"]
        assert door.type_in(digits)
    assert not door.type_in(str(made("once", "--flat", "12")[0]["digits"])), "number 0 was used"
    assert [type(msg).__name__ for msg in door.house.to(Room.VAULT)] == []
    door.guard.file.close()


def test_a_new_secret_is_random_checked_grouped_and_says_what_to_type() -> None:
    said = [guestcodes("new").stdout for _ in range(2)]
    assert said[0] != said[1]
    shown = re.search(r"^Your new secret: (\d{4} \d{4} \d{4} \d{4})$", said[0], re.MULTILINE)
    assert shown
    assert codes.is_secret(shown[1].replace(" ", ""))
    assert f"Type once at the door: 09 # your flat # your PIN # {shown[1]} #" in said[0]
    assert "not stored" in said[0]


def test_a_secret_is_stored_only_where_somebody_asks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    guestcodes("new")
    guestcodes("once", "--flat", "12")
    assert list(tmp_path.iterdir()) == []
    said = guestcodes("new", "--save", "mine")
    (written,) = tmp_path.iterdir()
    assert making.grouped(written.read_text().strip()) in said.stdout
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    before = written.read_text()
    refused(guestcodes("new", "--save", "mine"), "there already")
    assert written.read_text() == before
    refused(guestcodes("new", "--save", "no/such/folder"), "cannot be written")


def test_numbers_are_counted_on_by_the_resident() -> None:
    first = made("once", "--flat", "12", "--count", "5")
    later = made("once", "--flat", "12", "--count", "2", "--from-number", "5")
    assert [code["number"] for code in (*first, *later)] == [0, 1, 2, 3, 4, 5, 6]
    assert len({code["digits"] for code in (*first, *later)}) == 7
    assert "Next time: --from-number 7." in guestcodes("once", "--flat", "12", "--from-number", "6").stdout
    assert "the last one" in guestcodes("once", "--flat", "12", "--from-number", "63").stdout


def test_each_flat_has_its_own_codes() -> None:
    assert made("once", "--flat", "12") != made("once", "--flat", "13")


def test_a_window_names_its_days() -> None:
    said = guestcodes("days", "--flat", "12", "--from", "2027-03-01", "--to", "2027-03-08").stdout
    assert "from 2027-03-01 to the end of 2027-03-08" in said
    (code,) = made("days", "--flat", "12", "--from", "2027-03-01", "--to", "2027-03-08")
    read = codes.read(codes.key(SECRET, 12), str(code["digits"]))
    assert isinstance(read, codes.Window)
    assert (codes.date_of(read.first_day), read.days) == (dt.date(2027, 3, 1), 8)


def test_the_secret_may_be_typed_with_blanks_and_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = guestcodes("once", "--flat", "12").stdout
    monkeypatch.delenv("GUESTCODES_SECRET")
    result = guestcodes("once", "--flat", "12", typed=making.grouped(SECRET) + "\n")
    assert result.stdout == expected
    assert SECRET not in result.output.replace(" ", "")


def test_no_option_takes_the_secret() -> None:
    for words in ((), ("new",), ("once",), ("days",)):
        said = guestcodes(*words, "--help").output
        assert "--secret" not in said
        assert "Example: guestcodes " in said
        assert "\b" not in said


@pytest.mark.parametrize("wrong", ["", "1234", SECRET[:-1] + "9", SECRET + "0", "x" * 16])
def test_a_mistyped_secret_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("GUESTCODES_SECRET", wrong)
    refused(guestcodes("once", "--flat", "12"), "16 digits")


def test_an_end_of_the_input_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GUESTCODES_SECRET")
    result = guestcodes("once", "--flat", "12", typed="")
    assert result.exit_code == 1
    assert "was not given" in result.stderr


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (("once", "--flat", "12", "--count", "2", "--from-number", "63"), "0 to 63"),
        (("days", "--flat", "12", "--from", "2027-03-08", "--to", "2027-03-01"), "before"),
        (("days", "--flat", "12", "--from", "2027-01-01", "--to", "2027-04-10"), "99 days"),
        (("days", "--flat", "12", "--from", "2023-12-31", "--to", "2024-01-02"), "between 2024-01-01 and 2051-05-18"),
        (("days", "--flat", "12", "--from", "2051-05-19", "--to", "2051-05-19"), "between 2024-01-01 and 2051-05-18"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(words: tuple[str, ...], pattern: str) -> None:
    refused(guestcodes(*words), pattern)
    result = guestcodes(*words, "--json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert said["ok"] is False
    assert re.search(pattern, said["reason"])


@pytest.mark.parametrize(
    "words",
    [
        ("once",),
        ("once", "--flat", "0"),
        ("once", "--flat", "12", "--count", "65"),
        ("days", "--flat", "12", "--from", "1.3.2027", "--to", "2027-03-02"),
        ("nonsense",),
    ],
)
def test_wrong_usage_ends_with_2(words: tuple[str, ...]) -> None:
    assert guestcodes(*words).exit_code == 2
