"""Guests' codes and the duress PIN at a whole door, typed as people type them; the codes come out of `guestcodes`."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from device.edges import Room
from tests.integration.door.conftest import PIN, SLOT
from tests.support.door import COMMANDS, NOTED, OPENED, REFUSED, Home, door_up
from tests.support.mosquitto import Mosquitto
from tools.broker import Witness

DURESS = "730562"


@dataclass
class Host:
    """A resident who makes codes at home, away from the door."""

    home: Home
    secret: str

    def codes(self, *wishes: str) -> list[str]:
        """What `guestcodes` makes."""
        return [code["digits"] for code in guestcodes(self.secret, *wishes)["codes"]]

    def window(self, first: datetime, last: datetime) -> str:
        """One code for the days from `first` to `last`."""
        days = ("--from", f"{first:%Y-%m-%d}", "--to", f"{last:%Y-%m-%d}")
        return self.codes("days", "--flat", str(SLOT), *days)[0]


def guestcodes(secret: str, *argv: str) -> dict[str, Any]:
    """Run the command; its object."""
    done = subprocess.run(
        [COMMANDS / "guestcodes", *argv, "--json"],
        env={**os.environ, "GUESTCODES_SECRET": secret},
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture
def host(door: Home) -> Host:
    secret = str(guestcodes("", "new")["secret"]).replace(" ", "")
    assert door.types(f"09#{SLOT}#{PIN}#{secret}#") == NOTED
    return Host(door, secret)


def opens(home: Home, digits: str) -> bool:
    """Whether these digits open for the flat."""
    heard = home.types(f"{SLOT}#{digits}#")
    assert heard in (OPENED, REFUSED)
    home.goes_in()
    return heard == OPENED


def test_each_one_time_code_opens_once_in_any_order_and_over_a_power_cut(host: Host) -> None:
    first, second, third = host.codes("once", "--flat", str(SLOT), "--count", "3")
    assert opens(host.home, third)
    assert opens(host.home, first)
    assert not opens(host.home, third)
    host.home.door.cut()
    host.home.up()
    host.home.well()
    assert not opens(host.home, first)
    assert opens(host.home, second)


def test_a_code_for_days_opens_on_them_and_on_no_others(host: Host) -> None:
    today = datetime.now(UTC)
    yesterday, last_week, next_week = today - timedelta(1), today - timedelta(7), today + timedelta(7)
    # Two days around today: the test may run over midnight.
    assert opens(host.home, host.window(yesterday, today + timedelta(1)))
    assert not opens(host.home, host.window(last_week, last_week))
    assert not opens(host.home, host.window(next_week, next_week))


def test_a_guest_can_do_nothing_but_come_in(host: Host) -> None:
    code = host.window(datetime.now(UTC) - timedelta(1), datetime.now(UTC) + timedelta(1))
    for command in ("01", "02", "03", "04", "06", "07", "08"):
        assert host.home.types(f"{command}#{SLOT}#{code}#") == REFUSED
        assert opens(host.home, PIN), "and so no wait stands in the way of the next one"
    assert host.home.types(f"05#{SLOT}#{code}#605817#605817#") == REFUSED
    assert opens(host.home, PIN)


def test_a_new_secret_and_a_forgotten_one_end_all_codes(host: Host) -> None:
    one, other = host.codes("once", "--flat", str(SLOT), "--count", "2")
    assert opens(host.home, one)
    assert host.home.types(f"09#{SLOT}#{PIN}#0#") == NOTED
    assert not opens(host.home, other)
    assert opens(host.home, PIN)


def test_a_mistyped_secret_is_refused_before_it_is_believed(host: Host) -> None:
    wrong = host.secret[:-1] + str((int(host.secret[-1]) + 1) % 10)
    assert host.home.types(f"09#{SLOT}#{PIN}#{wrong}#") == REFUSED
    (code,) = host.codes("once", "--flat", str(SLOT), "--count", "1")
    assert opens(host.home, code)


# ---- duress


@pytest.fixture
def heard_by_the_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, Witness]]:
    """A door that reports to a broker, its resident with a duress PIN, and somebody who listens at the broker."""
    broker = Mosquitto(tmp_path_factory.mktemp("broker"))
    broker.start()
    try:
        with Witness(broker) as witness, door_up(window_s=4, broker=broker.url) as home:
            home.move_in(SLOT, PIN)
            assert home.types(f"010#{SLOT}#{PIN}#{DURESS}#{DURESS}#") == NOTED
            home.well()
            yield home, witness
    finally:
        broker.stop()


def test_a_duress_pin_opens_alike_and_calls_for_help(heard_by_the_broker: tuple[Home, Witness]) -> None:
    home, witness = heard_by_the_broker
    before = home.door.state()["signals"]
    assert opens(home, PIN)
    middle = home.door.state()["signals"]
    assert not [seen for seen in witness.seen if seen.topic.endswith("/alarm")]
    assert opens(home, DURESS)
    after = home.door.state()["signals"]
    assert middle[len(before) :] == after[len(middle) :]
    told = witness.wait_for(lambda seen: any(one.topic.endswith("/alarm") for one in seen), 15)
    (alarm,) = [one for one in told if one.topic.endswith("/alarm")]
    assert b"duress" not in alarm.payload.lower()
    assert home.status()["alarms"] == []
    assert "duress" not in (home.log(Room.LOCK) + home.log(Room.KEEPER)).lower()


def test_a_duress_pin_next_to_the_pin_is_refused_and_one_that_is_forgotten_opens_nothing(door: Home) -> None:
    near = PIN[:-1] + str((int(PIN[-1]) + 1) % 10)
    assert door.types(f"010#{SLOT}#{PIN}#{near}#{near}#") == REFUSED
    assert door.types(f"010#{SLOT}#{PIN}#{DURESS}#{DURESS}#") == NOTED
    assert opens(door, DURESS)
    assert door.types(f"010#{SLOT}#{PIN}#0#0#") == NOTED
    assert not opens(door, DURESS)
    assert opens(door, PIN)
