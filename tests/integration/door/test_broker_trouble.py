"""The broker comes late, restarts, or is gone: the door notices nothing, and what was said arrives later."""

import json
from pathlib import Path
from typing import Any

from device.edges import Room
from device.report.envelope import SIZE
from tests.integration.door.conftest import PIN, SLOT, enrolled
from tests.support.door import OPENED, Home, another_picture, door_up
from tests.support.mosquitto import Seen, Subscriber, running_broker


def said(seen: list[Seen], kind: str) -> list[dict[str, Any]]:
    return [json.loads(each.payload) for each in seen if each.topic.endswith(f"/{kind}")]


def opens_both_ways(home: Home) -> None:
    assert home.types(f"{SLOT}#{PIN}#") == OPENED
    home.goes_in()
    assert home.looks_until_ready(another_picture()) == OPENED
    home.goes_in()


def test_broker_that_comes_late_restarts_and_goes_is_noticed_by_nobody_at_the_door(tmp_path: Path) -> None:
    with running_broker(tmp_path, started=False) as broker, door_up(broker=broker.url, cadence_s=1) as home:
        enrolled(home)
        opens_both_ways(home)
        home.door.tamper(on=True)  # an alarm, while nobody can hear it
        broker.start()
        with Subscriber(broker) as witness:
            # The longer the broker was away, the longer report waits before it asks again: up to two minutes.
            witness.wait_for(lambda seen: bool(said(seen, "alarm")) and len(said(seen, "report")) >= 2, 150.0)
            broker.stop()
            opens_both_ways(home)
            broker.start()
            before = len(said(witness.seen, "report"))
            seen = witness.wait_for(lambda seen: len(said(seen, "report")) >= before + 2, 60.0)
            reports = said(seen, "report")
            assert reports[-1]["alarm"] is True, "what was told while the broker was away still stands"
            # The very same message may arrive twice (QoS 1); none is missing.
            numbers = {each["seq"] for each in (*reports, *said(seen, "alarm"))}
            assert numbers == set(range(1, max(numbers) + 1))
            assert {len(each.payload) for each in seen if "availability" not in each.topic} == {SIZE}
        broker.stop()
        opens_both_ways(home)
        assert home.door.state()["pids"][Room.REPORT] != 0
        assert "Traceback" not in home.logs()


def test_door_opens_while_report_is_stopped_and_its_health_is_told_when_it_is_back(tmp_path: Path) -> None:
    with (
        running_broker(tmp_path) as broker,
        Subscriber(broker) as witness,
        door_up(broker=broker.url, cadence_s=1) as home,
    ):
        enrolled(home)
        home.door.stop(Room.REPORT)
        home.until(lambda now: now["processes"][Room.REPORT] == "down", "report stopped")
        opens_both_ways(home)
        home.door.stop(Room.VAULT)
        home.until(lambda now: now["processes"][Room.VAULT] == "down", "vault stopped")
        home.door.start(Room.REPORT)
        witness.wait_for(lambda seen: any(not each["vault"] for each in said(seen, "report")), 60.0)
        home.door.start(Room.VAULT)
        already = len(said(witness.seen, "report"))
        witness.wait_for(
            lambda seen: any(each["vault"] and each["lock"] for each in said(seen, "report")[already:]), 60.0
        )
