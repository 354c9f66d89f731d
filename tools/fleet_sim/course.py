"""The course of one run: the fleet comes, speaks, loses its broker, comes back, falls silent; the sides are compared.

Rules kept here:
- Nothing is waited for without end, and whatever happens every process that was started is ended.
- The run is over when no outbox holds anything and nothing has arrived for a while, not after some time that happens
  to be enough; if it never is, what is missing is lost.
- Once in a second the broker's memory and processor time are read, and this machine's load.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from device.errors import BrokerFault
from tools.fleet_sim import storm
from tools.fleet_sim.account import Account, Judgement
from tools.fleet_sim.listener import Listener
from tools.fleet_sim.server import Server, Side, Usage
from tools.fleet_sim.worker import Record, Share, Standing, Word, work

MEMORY = Path("/dev/shm")  # noqa: S108  # files that live in memory
_ANSWERS_WITHIN_S = 120.0
_STILL_S = 3.0
_ASKS_S = 2.0  # how often shares are asked; to answer costs them time


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to happen.

    `alone_s`: whoever listens hangs up so long before the restart and is back after it. `queue`: how many messages the
    broker keeps for whoever is away; 0: twenty for each door, at least 10,000.
    """

    doors: int = 10_000
    workers: int = 4
    cadence_s: float = 60.0
    ramp_s: float = 60.0
    steady_s: float = 30.0
    away_s: float = 5.0
    after_s: float = 60.0
    drain_s: float = 330.0  # a door's longest wait is 300 s
    late_s: float = 400.0
    alarms_per_s: float = 5.0
    alone_s: float = 0.0
    tls: bool = True
    jitter: bool = True
    kill: bool = False
    queue: int = 0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: seconds of the monotonic clock, the broker's usage, the machine's load of the last minute."""

    at_s: float
    usage: Usage
    load: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to. Moments are seconds of one monotonic clock; the broker went at `gone_s`, came at `back_s`."""

    plan: Plan
    judgement: Judgement
    storm_fault: str
    began_s: float
    gone_s: float
    back_s: float
    tried: list[float]
    came: list[float]
    arrivals: list[float]
    samples: list[Sample]
    idle_bytes: int
    full: Usage
    online: tuple[int, int]  # before the restart, at the end
    workers_cpu_s: float
    forgotten: int

    @property
    def faults(self) -> tuple[str, ...]:
        """Everything that must not be."""
        missing = self.plan.doors - self.online[1]
        away = (f"{missing} doors were not back at the end",) if missing else ()
        return self.judgement.faults + ((self.storm_fault,) if self.storm_fault else ()) + away

    def storm_tries(self) -> list[float]:
        """The attempts to connect after the broker went."""
        return [at_s for at_s in self.tried if at_s >= self.gone_s]


def run(
    plan: Plan, tell: Callable[[str], None] = lambda _said: None, make: Callable[[Path], Side] | None = None
) -> Outcome:
    """Run `plan`; `make` a broker with its files in a folder, or there is one Mosquitto.

    Raises BrokerFault if the broker does not start or a share of the fleet does not answer.
    """
    doors = [hashlib.blake2b(f"{plan.seed} {each}".encode(), digest_size=8).hexdigest() for each in range(plan.doors)]
    with _folder() as folder:
        server = (
            make(folder / "server")
            if make
            else Server(folder / "server", plan.tls, plan.queue or max(20 * plan.doors, 10_000))
        )
        account = Account()
        certificates = server.prepare(doors)
        with _running(server):
            listener = Listener(server.where, account, server.listener_context())
            try:
                listener.come()
                time.sleep(0.2)
                idle = server.usage()
                with _shares(plan, doors, server, folder, certificates) as shares:
                    return _Run(plan, server, listener, account, shares, idle, tell).through()
            finally:
                listener.leave()


class _Run:
    """The steps, one after the other."""

    def __init__(
        self,
        plan: Plan,
        server: Side,
        listener: Listener,
        account: Account,
        shares: list[Connection],
        idle: Usage,
        tell: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._server = server
        self._listener = listener
        self._account = account
        self._shares = shares
        self._idle = idle
        self._tell = tell
        self._samples: list[Sample] = []
        self._began_s = time.monotonic()

    def through(self) -> Outcome:
        plan = self._plan
        self._pass(plan.ramp_s)
        self._until(lambda: self._standing().online == plan.doors, plan.drain_s)
        before = self._standing()
        self._tell(f"{before.online} of {plan.doors} doors are there")
        self._pass(plan.steady_s)
        full = self._server.usage()
        gone_s, back_s = self._restart()
        self._pass(plan.after_s)
        self._order(Word.QUIET)
        self._until(self._drained, plan.drain_s)
        after = self._standing()
        self._tell(f"{after.online} of {plan.doors} doors are back, {after.waiting} messages wait")
        records = self._collect()
        tried = [at_s for record in records for at_s in record.notes.tried]
        dropped = sum(record.dropped for record in records)
        return Outcome(
            plan=plan,
            judgement=self._account.judged(plan.late_s, dropped),
            storm_fault=storm.fault([at_s for at_s in tried if at_s >= gone_s], plan.doors),
            began_s=self._began_s,
            gone_s=gone_s,
            back_s=back_s,
            tried=tried,
            came=[at_s for record in records for at_s in record.notes.came],
            arrivals=self._listener.arrivals,
            samples=self._samples,
            idle_bytes=self._idle.resident_bytes,
            full=full,
            online=(before.online, after.online),
            workers_cpu_s=after.cpu_s,
            forgotten=self._listener.forgotten,
        )

    def _restart(self) -> tuple[float, float]:
        plan = self._plan
        if plan.alone_s:
            self._listener.leave()
            self._pass(plan.alone_s)
        self._tell("the broker is killed" if plan.kill else "the broker is stopped")
        gone_s = time.monotonic()
        self._server.stop(kill=plan.kill)
        self._pass(plan.away_s)
        self._server.start()
        back_s = time.monotonic()
        self._tell(f"the broker is back after {back_s - gone_s:.1f} s")
        if plan.alone_s:
            self._listener.come()
        return gone_s, back_s

    def _collect(self) -> list[Record]:
        self._order(Word.END)
        records = [record for share in self._shares if isinstance(record := _answer(share), Record)]
        for record in records:
            self._account.hand(record.notes.handed)
        return records

    def _drained(self) -> bool:
        standing = self._standing()
        last_s = max(self._listener.arrivals, default=0.0)
        still = time.monotonic() - last_s > _STILL_S
        return standing.waiting == 0 and standing.online == self._plan.doors and still

    def _standing(self) -> Standing:
        self._order(Word.STAND)
        each = [_answer(share) for share in self._shares]
        found = [standing for standing in each if isinstance(standing, Standing)]
        return Standing(
            sum(one.online for one in found),
            sum(one.waiting for one in found),
            sum(one.handed for one in found),
            sum(one.cpu_s for one in found),
        )

    def _order(self, word: Word) -> None:
        for share in self._shares:
            share.send(word)

    def _until(self, done: Callable[[], bool], within_s: float) -> None:
        ends_s = time.monotonic() + within_s
        while not done() and time.monotonic() < ends_s:
            self._pass(_ASKS_S)

    def _pass(self, seconds: float) -> None:
        ends_s = time.monotonic() + seconds
        while (left_s := ends_s - time.monotonic()) > 0:
            self._samples.append(Sample(time.monotonic(), self._server.usage(), os.getloadavg()[0]))
            time.sleep(min(left_s, 1.0))


def _answer(share: Connection) -> object:
    if not share.poll(_ANSWERS_WITHIN_S):
        raise BrokerFault("a share of the fleet does not answer")
    try:
        answer: object = share.recv()
    except EOFError as cause:
        raise BrokerFault("a share of the fleet has ended") from cause
    return answer


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="dw-fleet-", dir=MEMORY if MEMORY.is_dir() else None))
    folder.chmod(0o755)  # Mosquitto becomes another user
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(server: Side) -> Iterator[None]:
    try:
        server.start()
        yield
    finally:
        server.end()


@contextmanager
def _shares(
    plan: Plan, doors: list[str], server: Side, folder: Path, certificates: Path | None
) -> Iterator[list[Connection]]:
    context = multiprocessing.get_context("spawn")
    pipes: list[Connection] = []
    processes = []
    outboxes = folder / "outboxes"
    outboxes.mkdir()
    try:
        for number in range(plan.workers):
            share = Share(
                tuple(doors[number :: plan.workers]),
                server.where,
                outboxes,
                certificates,
                plan.cadence_s,
                plan.ramp_s,
                plan.alarms_per_s / plan.workers,
                plan.jitter,
                plan.seed * 1000 + number,
            )
            ours, theirs = context.Pipe()
            process = context.Process(target=work, args=(share, theirs), daemon=True)
            process.start()
            theirs.close()
            pipes.append(ours)
            processes.append(process)
        yield pipes
    finally:
        for pipe in pipes:
            pipe.close()
        for process in processes:
            process.join(2.0)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
