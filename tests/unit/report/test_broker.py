"""Where a door may talk to, and how long it waits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import ConfigRefused
from device.report.broker import WAIT_MAX_S, WAIT_MIN_S, Broker, parse, wait_s


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("", None),
        ("mqtt://127.0.0.1:1884", Broker("127.0.0.1", 1884)),
        ("mqtt://127.0.0.1", Broker("127.0.0.1", 1883)),
        ("mqtt://[::1]:1883", Broker("::1", 1883)),
        ("mqtt://localhost:1883", Broker("127.0.0.1", 1883)),
        ("mqtts://localhost", Broker("127.0.0.1", 8883, tls=True)),
    ],
)
def test_a_broker_on_this_machine_is_taken(url: str, broker: Broker | None) -> None:
    assert parse(url) == broker


@pytest.mark.parametrize("host", ["192.168.1.2", "broker.example", "[fd00::7]", "Broker.Example"])
def test_another_machine_is_taken_with_tls(host: str) -> None:
    assert parse(f"mqtts://{host}") == Broker(host.strip("[]").lower(), 8883, tls=True)
    assert parse(f"mqtts://{host}:9883") == Broker(host.strip("[]").lower(), 9883, tls=True)


@pytest.mark.parametrize("host", ["192.168.1.2", "broker.example", "10.0.0.1", "127.0.0.1.example", "[fe80::1]"])
def test_another_machine_is_refused_without_tls(host: str) -> None:
    with pytest.raises(ConfigRefused, match="another machine; without TLS"):
        parse(f"mqtt://{host}:1883")


@pytest.mark.parametrize(
    "url",
    [
        *(
            "mqtt://",
            "mqtt://:1883",
            "mqtt://127.0.0.1:0",
            "mqtt://127.0.0.1:99999",
            "x",
            "http://127.0.0.1",
            "mqtts://",
        ),
        *("mqtts://a:b@broker.example", "mqtts://broker.example/doors", "mqtts://broker.example?x", "mqtts://[x]"),
    ],
)
def test_anything_else_is_refused_with_the_form_it_should_have(url: str) -> None:
    with pytest.raises(ConfigRefused, match="mqtt://HOST:PORT"):
        parse(url)


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_every_wait_lies_within_its_bounds(failures: int, chance: float) -> None:
    assert WAIT_MIN_S <= wait_s(failures, chance) <= WAIT_MAX_S


def test_waits_grow_and_spread() -> None:
    longest = [wait_s(failures, 1.0) for failures in range(1, 12)]
    assert longest == sorted(longest)
    assert longest[-1] == WAIT_MAX_S
    assert len({wait_s(1, number / 100) for number in range(100)}) == 100
