"""`python -m tools.soak.follow`: one real room at a real door, looked at closely. For who asks what a slope is made of.

Rules kept here:
- The house is that of a soak (`tools.soak.house`): nothing of it is weakened, and all of it is gone afterwards.
- `lock`: cards, a PIN after every fifth, and after every fiftieth somebody presses the face button and nobody is there,
  so that there is something that lock still awaits for a minute. What is printed is its anonymous memory, kB; who is
  not root is told RSS, and nothing of report.
- `report`: the broker is stopped or stands still, again and again, and what report has open is looked at all the time.
  What is printed is how often it had how many descriptors, and how many of them were connections to the broker.
- Nothing is judged: a soak does that (`tools.soak.slope`).
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import click

from device.edges import Room
from device.errors import Fault, Refusal
from tools.benchmark import processes
from tools.portraits import portrait
from tools.samples import SampleMissingError
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.memory import Kind as Chip
from tools.soak.acts import Residents, Tenant
from tools.soak.house import House, house
from tools.soak.ledger import Ledger
from tools.soak.street import Street

EVERY: Final = 100  # approaches, between two lines
A_PIN: Final = 5
A_LOOK: Final = 50
LOOKS_S: Final = 0.002
LONGEST_TROUBLE_S: Final = 1.5
BACK_WITHIN_S: Final = (0.05, 0.3, 2.0, 20.0)  # after a trouble: the next one may come before the connection does
TENANT: Final = Tenant(7301, "482913")


@click.group()
def main() -> None:
    """Look at one real room closely; a soak judges all six."""


@main.command()
@click.option("--approaches", type=click.IntRange(1), default=700, show_default=True)
def lock(approaches: int) -> None:
    """Anonymous memory of lock, every hundred approaches."""
    with _door() as (here, street):
        residents = Residents(here, street, Ledger(), lambda: None, lambda _: None)
        card, pictures = here.drawer / "one.card", here.drawer / "resident"
        SimulatedCard.new(Chip.NTAG424).save(card)
        pictures.mkdir()
        for picture in (portrait("obama.jpg"), portrait("obama2.jpg")):
            (pictures / picture.name).write_bytes(picture.read_bytes())
        residents.moves_in(TENANT)
        residents.adds_card(TENANT, card)
        residents.enrols(TENANT, pictures)
        pid = here.door.news(2**62)["pids"][Room.LOCK]
        for number in range(approaches + 1):
            if number % EVERY == 0:
                memory = processes.memory(pid)
                own = (
                    f"{memory.rss_kb} kB with shared pages"
                    if memory.anonymous_kb is None
                    else f"{memory.anonymous_kb} kB"
                )
                print(f"lock after {number} approaches: {own}", flush=True)
            if number % A_LOOK == A_LOOK // 2:
                street.shows(None)
                here.door.press("face")
                street.until(lambda now: bool(now["indicator"]), "the lamp lit")
                street.idle()
            if number % A_PIN:
                street.taps(card)
            else:
                street.types(f"{TENANT.slot}#{TENANT.pin}#")


@main.command()
@click.option("--troubles", type=click.IntRange(1), default=200, show_default=True)
def report(troubles: int) -> None:
    """What report has open while its broker comes and goes."""
    dice = random.Random(1)
    with _door() as (here, _):
        pid = here.door.news(2**62)["pids"][Room.REPORT]
        seen: Counter[tuple[int, int]] = Counter()
        over = threading.Event()
        looks = threading.Thread(target=_looks, args=(pid, seen, over))
        looks.start()
        try:
            for _number in range(troubles):
                _trouble(here, dice)
            time.sleep(BACK_WITHIN_S[-1])
        finally:
            over.set()
            looks.join()
        for (others, abroad), count in sorted(seen.items()):
            print(f"{count} looks: {others} descriptors, and {abroad} connections to the broker")
        last = processes.descriptors(pid)
        print(f"after {troubles} troubles: {last.open - last.abroad} descriptors, and {last.abroad} connections")


def _looks(pid: int, seen: Counter[tuple[int, int]], over: threading.Event) -> None:
    while not over.wait(LOOKS_S):
        with suppress(OSError):
            found = processes.descriptors(pid)
            seen[found.open - found.abroad, found.abroad] += 1


def _trouble(here: House, dice: random.Random) -> None:
    messages, broker = here.listener.messages, here.broker
    if dice.random() < 0.5:
        broker.stop()
        time.sleep(dice.random() * LONGEST_TROUBLE_S)
        broker.start()
    else:
        broker.pause()
        time.sleep(dice.random() * LONGEST_TROUBLE_S)
        broker.resume()
    before, ends = len(messages.payloads), time.monotonic() + dice.choice(BACK_WITHIN_S)
    while len(messages.payloads) < before + 2 and time.monotonic() < ends:
        time.sleep(0.02)


@contextmanager
def _door() -> Iterator[tuple[House, Street]]:
    try:
        with house() as here:
            street = Street(here.door, lambda *_: None)
            street.well()
            yield here, street
    except (Fault, Refusal, SampleMissingError, OSError) as cause:
        raise click.ClickException(f"the room could not be followed: {cause}") from cause


if __name__ == "__main__":
    main(prog_name="python -m tools.soak.follow")
