"""The kernel's texts are read as proc(5) describes them."""

import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack

from tools.benchmark.processes import busy_s, comes_first, descriptors, memory, processor_s, rollup, used

TICK = os.sysconf("SC_CLK_TCK")
STAT = "17 (a name) with ( brackets)) S 1 17 17 0 -1 4194560 5 0 0 0 {utime} {stime} 3 4 20 0 1 0 99 1 1"
ROLLUP = """55d0-7ffd ---p 00000000 00:00 0                          [rollup]
Rss:               18400 kB
Pss:               11500 kB
Pss_Anon:          10900 kB
Shared_Clean:       7400 kB
Shared_Dirty:        100 kB
"""
CALLS = """
import socket, sys
calls = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(int(sys.argv[2]))]
print("there", flush=True)
sys.stdin.readline()
"""


def test_processor_time_is_read_behind_a_name_that_looks_like_fields() -> None:
    assert processor_s(STAT.format(utime=2 * TICK, stime=TICK)) == 3.0


def test_rollup_is_read_by_name_without_its_first_line() -> None:
    kb = rollup(ROLLUP)
    assert (kb["Rss"], kb["Pss"], kb["Shared_Clean"] + kb["Shared_Dirty"]) == (18400, 11500, 7500)
    assert len(kb) == 5


def test_waiting_for_a_disk_is_not_work_and_stolen_time_is() -> None:
    quiet = f"cpu  0 0 0 {9 * TICK} {9 * TICK} 0 0 0 0 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n"
    stolen = f"cpu  0 0 0 {9 * TICK} {9 * TICK} 0 0 {5 * TICK} 0 0\n"
    assert (busy_s(quiet), busy_s(stolen)) == (0.0, 5.0)


def test_work_of_this_process_shows_and_its_memory_is_counted_once() -> None:
    before = used(os.getpid())
    ends = time.process_time() + 0.05
    while time.process_time() < ends:
        pass
    spent = used(os.getpid()) - before
    assert 0.03 <= spent.processor_s < 5.0
    own = memory(os.getpid())
    assert own.pss_kb is not None
    assert 0 < own.pss_kb <= own.rss_kb
    assert own.counted_kb == own.pss_kb


def test_an_ordinary_process_does_not_come_first() -> None:
    child = os.fork()
    if not child:
        os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))
        os._exit(comes_first(os.getpid()))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert comes_first(os.getpid()) == (os.sched_getscheduler(0) in (os.SCHED_FIFO, os.SCHED_RR))


def test_a_connection_to_another_process_is_abroad_and_one_with_itself_is_not() -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        before = descriptors(os.getpid())
        own = stack.enter_context(socket.create_connection(listener.getsockname()))
        stack.enter_context(listener.accept()[0])
        port = str(listener.getsockname()[1])
        child = stack.enter_context(
            subprocess.Popen([sys.executable, "-c", CALLS, port, "2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        )
        assert child.stdout
        assert child.stdout.readline() == b"there\n"
        callers = [stack.enter_context(listener.accept()[0]) for _ in range(2)]
        here, there = descriptors(os.getpid()), descriptors(child.pid)
        assert own.fileno() > 0
        assert here.open - before.open == 2 + len(callers) + 2  # and the pipes of the child
        assert (here.abroad - before.abroad, there.abroad) == (2, 2)
        assert there.open >= 5
