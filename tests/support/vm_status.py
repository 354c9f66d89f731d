"""How the door on a machine is, asked by a program in it that has loaded doorctl's code once and stays.

An emulated processor takes seconds to load that code, and tests ask again and again until a door is well. What is asked
and what is answered is what `doorctl status` asks and is answered; that command itself is run where a test is about it.
The program ends with the machine's power, and is ended where the door's own files are exchanged.
"""

import json
from typing import Any, Final

from tools.vm.agent import Agent

_UNIT, _PROGRAM, _ASK, _TOLD = "vm-status", "/run/vm-status.py", "/run/vm-status.ask", "/run/vm-status.told"
_WAITS_S: Final = 30  # by the guest's clock; desk's own patience with lock is a few seconds
_STAYS: Final = f"""
import json
from device import wire
from device.desk import sentences, timeouts
from device.desk.client import DeskLine
from device.errors import Fault, Refusal
from device.paths import door_paths

def status():
    try:
        with DeskLine.open(door_paths()) as line:
            said = line.ask(wire.AskStatus(), timeouts.STATUS_S + timeouts.GRACE_S)
    except (Fault, Refusal, OSError):
        return {{}}
    return sentences.status_facts(said) if isinstance(said, wire.DoorStatus) else {{}}

while True:
    with open("{_ASK}") as asked:
        asked.read()
    with open("{_TOLD}", "w") as told:
        json.dump(status(), told)
"""
_START: Final = f"""
systemctl --quiet is-active {_UNIT} && exit
rm -f {_ASK} {_TOLD}; mkfifo {_ASK} {_TOLD}
systemd-run --quiet --collect --unit={_UNIT} /usr/lib/doorward/bin/python -I -B {_PROGRAM}
"""


def status(agent: Agent) -> dict[str, Any]:
    """The facts of `doorctl status --json`; empty while desk or lock does not answer."""
    if agent.run(f"test -e {_PROGRAM}").code:
        agent.put(_PROGRAM, _STAYS.encode())
    agent.ask(_START)
    answer = agent.run(f"timeout {_WAITS_S} sh -c 'echo >{_ASK}; cat {_TOLD}'")
    if answer.code or not answer.out:
        end(agent)  # it waits for a reader who has gone: the next question finds another one
        return {}
    found: dict[str, Any] = json.loads(answer.out)
    return found


def end(agent: Agent) -> None:
    """End the program: the files that it was loaded from are about to be others."""
    agent.run(f"systemctl stop {_UNIT}")
