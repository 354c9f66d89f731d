"""`python -m tools.vm`: build the machine's image, boot a machine, run commands in it."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
from pathlib import Path

from tools.vm import host
from tools.vm.image import Image, image
from tools.vm.machine import Machine, end_process
from tools.vm.package import package
from tools.vm.say import VmFault, step


def main(argv: list[str] | None = None) -> int:
    """Carry out one command; its exit code: 0, what the guest's command ended with, or 1 with one sentence."""
    parser = argparse.ArgumentParser(prog="python -m tools.vm", description=__doc__)
    parser.add_argument("--state", type=Path, default=host.CACHE / "mine", help="the folder of your machine")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (("build", "make the image"), ("boot", "start a machine, and leave it running")):
        command = commands.add_parser(name, help=text)
        command.add_argument("--without-door", action="store_true", help="only Debian and the hardware")
    commands.choices["boot"].add_argument("--broker-port", type=int, default=0, help="a port of 127.0.0.1")
    run = commands.add_parser("run", help="run a script in it as root; no argument reads it from standard input")
    run.add_argument("script", nargs="*")
    run.add_argument("--limit", type=float, default=600.0, help="seconds")
    commands.add_parser("down", help="cut its power and remove its folder")
    given = parser.parse_args(argv)
    try:
        return _carry_out(given)
    except VmFault as fault:
        sys.stderr.write(f"vm: {fault}\n")
        return 1


def _carry_out(given: argparse.Namespace) -> int:
    state: Path = given.state.absolute()
    if given.command == "down":
        for name in ("qemu.pid", "tpm.pid"):
            end_process(state / name)
        shutil.rmtree(state, ignore_errors=True)
        return 0
    if given.command == "run":
        return _run(state, " ".join(given.script) or sys.stdin.read(), given.limit)
    built = built_image(door=not given.without_door)
    print(built.folder)
    if given.command == "boot":
        machine = Machine(built, state, broker_port=given.broker_port)
        machine.start()
        with contextlib.ExitStack() as on_error:
            on_error.callback(machine.kill)
            with step("booting"):
                machine.agent.wait_ready(600)
            on_error.pop_all()
        machine.leave()
        print(f"ready; python -m tools.vm --state {state} run 'systemctl status doorward.target'")
    return 0


def built_image(*, door: bool) -> Image:
    """The image of today's checkout, built if it is not in the cache. Raises VmFault."""
    if not host.CACHE.exists() or os.getuid() == 0:
        host.need_root()
        host.need({**host.TO_BOOT, **host.TO_BUILD, **host.TO_TEST})
    else:  # what is in the cache can be booted by anybody
        host.need({**host.TO_BOOT, **host.TO_TEST})
    return image(package if door else _no_package)


def _no_package() -> None:
    """For an image without a door."""


def _run(state: Path, script: str, limit_s: float) -> int:
    from tools.vm.agent import Agent

    try:
        agent = Agent(state / "agent.sock")
    except OSError as cause:
        msg = f"no machine runs in {state}; start one with: python -m tools.vm boot"
        raise VmFault(msg) from cause
    answer = agent.run(script, limit_s=limit_s)
    agent.close()
    sys.stdout.write(answer.out)
    sys.stderr.write(answer.err)
    return answer.code


if __name__ == "__main__":
    sys.exit(main())
