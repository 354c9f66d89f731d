"""Who may drive the showroom's door, with each of the guard's questions left out once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import pytest

from tools.simulator.showroom.guard import Refusal, Rules

RULES = Rules(8765, "a token of this run")
OWN = {
    "host": "127.0.0.1:8765",
    "origin": "http://127.0.0.1:8765",
    "sec-fetch-site": "same-origin",
    "x-showroom-token": "a token of this run",
}
STRANGERS: dict[str, dict[str, str]] = {
    "another origin": OWN | {"origin": "http://evil.example"},
    "no origin": {name: value for name, value in OWN.items() if name != "origin"},
    "an opaque origin": OWN | {"origin": "null"},
    "our name, another scheme": OWN | {"origin": "https://127.0.0.1:8765"},
    "our other name": OWN | {"origin": "http://localhost:8765"},
    "another port": OWN | {"origin": "http://127.0.0.1:8766"},
    "another site, says the browser": OWN | {"sec-fetch-site": "cross-site"},
    "another page of this site, says the browser": OWN | {"sec-fetch-site": "same-site"},
    "no token": {name: value for name, value in OWN.items() if name != "x-showroom-token"},
    "another token": OWN | {"x-showroom-token": "a token of this ruN"},
    "an odd token": OWN | {"x-showroom-token": "ä"},
    "a rebound name": OWN | {"host": "evil.example:8765", "origin": "http://evil.example:8765"},
    "a rebound name without a port": OWN | {"host": "evil.example"},
    "no host": {name: value for name, value in OWN.items() if name != "host"},
}


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "LOCALHOST:8765"])
def test_our_own_page_may_act(host: str) -> None:
    assert RULES.refusal("POST", OWN | {"host": host, "origin": f"http://{host.lower()}"}) is None
    assert RULES.refusal("POST", {name: OWN[name] for name in ("host", "origin", "x-showroom-token")}) is None


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_stranger_changes_nothing(who: str, method: str) -> None:
    refused = RULES.refusal(method, STRANGERS[who])
    assert refused is not None
    assert refused.status in (403, 421)


def test_reading_asks_for_the_name_alone() -> None:
    assert RULES.refusal("GET", {"host": "localhost:8765"}) is None
    for host in ("evil.example", "evil.example:8765", "127.0.0.1", "127.0.0.1:8766", "[::1]:8765", ""):
        refused = RULES.refusal("GET", {"host": host})
        assert refused is not None, host
        assert refused.status == 421


@dataclasses.dataclass(frozen=True)
class Careless(Rules):
    """A guard that takes `forgotten` as it should be, whatever it is."""

    forgotten: str = ""

    def refusal(self, method: str, headers: Mapping[str, str]) -> Refusal | None:
        """As the guard's, one question short."""
        believed = dict(headers) | {self.forgotten: OWN[self.forgotten]}
        if self.forgotten == "host" and "origin" in headers:
            believed["origin"] = headers["origin"].replace(headers.get("host", "?"), OWN["host"])
        return super().refusal(method, believed)


@pytest.mark.parametrize(
    ("forgotten", "who"),
    [
        ("origin", "another origin"),
        ("sec-fetch-site", "another site, says the browser"),
        ("x-showroom-token", "another token"),
        ("host", "a rebound name"),
    ],
)
def test_each_question_is_needed(forgotten: str, who: str) -> None:
    """The faults seeded: without this question somebody above gets in."""
    careless: Callable[..., Refusal | None] = Careless(RULES.port, RULES.token, forgotten).refusal
    assert careless("POST", STRANGERS[who]) is None
    assert RULES.refusal("POST", STRANGERS[who]) is not None
