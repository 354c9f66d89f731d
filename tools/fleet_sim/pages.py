"""How long a page of the console takes with few doors and with many: `python -m tools.fleet_sim console`.

Rules kept here:
- Real `doorward serve`, a real fleet in SQLite or on a PostgreSQL server of its own that waits for its disk, one
  browser's worth of requests one after the other, over loopback.
- Both consoles run at the same time and are asked in turn, so that what else this machine does meets both alike.
- What counts is the ratio: pages are asked that hold the same number of lines.
"""

from __future__ import annotations

import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pyotp

from provisioning import fleet as fleets
from provisioning import placing
from provisioning.accounts import Accounts
from provisioning.placing import Placed
from provisioning.users import Role
from tools.postgresql import running

FEW, MANY = 100, 10_000
LIMIT = 2.0
_PASSWORD = "only for the measurement"  # noqa: S105 - of a fleet that ends with the measurement
_WARM_UP = 10
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Asked:
    """A kind of page: its name, and how its address is drawn for a fleet of so many doors."""

    name: str
    path: str


PAGES = (
    Asked("first page", "/"),
    Asked("a page in the middle", "/?after=Door {at}"),
    Asked("found by part of a name", "/?q={part}"),
    Asked("one building", "/?building=House 1"),
    Asked("one state", "/?state=added"),
    Asked("plan of a building", "/plan?building=House 1"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of one kind of page: 50th and 95th percentile in seconds, with few doors and with many."""

    name: str
    few: tuple[float, float]
    many: tuple[float, float]

    @property
    def ratio(self) -> float:
        """How many times longer the 95th percentile is with many doors."""
        return self.many[1] / self.few[1]


def measure(times: int, seed: int, many: int = MANY, *, server: bool = False) -> list[Row]:
    """Every kind of page, asked `times` times of each console; `server`: on PostgreSQL. Raises RuntimeError."""
    drawn = random.Random(seed)
    with ExitStack() as stack:
        kept = stack.enter_context(running(durable=True)) if server else None
        stores = {size: kept.new_database(f"doors{size}") if kept is not None else None for size in (FEW, many)}
        clients = {size: stack.enter_context(_console(size, stores[size])) for size in (FEW, many)}
        found: dict[tuple[str, int], list[float]] = {}
        for number in range(times + _WARM_UP):
            for page in PAGES:
                for size, client in clients.items():
                    at = f"{drawn.randrange(size // 2):05}"
                    path = page.path.format(at=at, part=f"{drawn.randrange(size):05}"[1:])
                    began = time.perf_counter()
                    answer = client.get(path)
                    took = time.perf_counter() - began
                    answer.raise_for_status()
                    if number >= _WARM_UP:
                        found.setdefault((page.name, size), []).append(took)
    return [Row(page.name, _figures(found[page.name, FEW]), _figures(found[page.name, many])) for page in PAGES]


def shown(rows: list[Row], times: int, many: int = MANY) -> str:
    """The rows for people."""
    lines = [f"{times} requests each; milliseconds, 50th / 95th percentile", ""]
    lines.append(f"{'page':<26}{f'{FEW} doors':>18}{f'{many} doors':>18}{'p95 ratio':>12}")
    for row in rows:
        few, more = (f"{p50 * 1000:.1f} / {p95 * 1000:.1f}" for p50, p95 in (row.few, row.many))
        lines.append(f"{row.name:<26}{few:>18}{more:>18}{row.ratio:>12.2f}")
    return "\n".join(lines)


def _figures(found: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(found, n=20)
    return cuts[9], cuts[18]


@contextmanager
def _console(doors: int, store: str | None) -> Iterator[httpx.Client]:
    """Somebody who is signed in at the console of a new fleet of so many doors, a hundred in a house."""
    with tempfile.TemporaryDirectory(prefix="dw-pages-") as root:
        folder = Path(root) / "fleet"
        fleet = fleets.init(folder, "only for the measurement", store)
        names = (Placed(f"Door {at:05}", f"House {at // 100 + 1}", str(at % 10)) for at in range(doors))
        placing.add_doors(fleet, list(names))
        secret = Accounts.of(fleet).add("ada", Role.OWNER, _PASSWORD, int(time.time())).secret
        command = [sys.executable, "-m", "provisioning.cli", "serve", "--fleet", str(folder), "--port", "0"]
        command += ["--store", store] if store is not None else []
        with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
            try:
                said = process.stdout.readline() if process.stdout is not None else ""
                address = re.search(r"http://\S+?(?=/ )", said)
                if address is None:
                    msg = f"the console did not start: {said}"
                    raise RuntimeError(msg)
                with httpx.Client(base_url=address[0], timeout=60) as client:
                    _sign_in(client, secret)
                    yield client
            finally:
                process.terminate()


def _sign_in(client: httpx.Client, secret: str) -> None:
    form = re.search(r'name="token" value="(\w+)"', client.get("/sign-in").text)
    words = {"token": form[1] if form else "", "name": "ada", "password": _PASSWORD, "code": pyotp.TOTP(secret).now()}
    answer = client.post("/sign-in", data=words, headers={"origin": str(client.base_url).rstrip("/")})
    if answer.headers.get("location") != "/":
        msg = f"nobody could sign in: {answer.status_code}"
        raise RuntimeError(msg)
