"""How a command of doorward answers: one object with --json, sentences without, and the exit code.

Rules kept here:
- 0 done, 1 refused with the reason in one sentence, 2 usage (click's own), 130 interrupted.
- With --json exactly one object goes to stdout; a refusal or fault of ours never shows a traceback.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import click

from device.errors import Fault, Refusal
from device.terminal import EXIT_INTERRUPTED, EXIT_REFUSED, refuse, sentence, unanswered

_NOT_GIVEN = "The passphrase was not given; type it or set DOORWARD_PASSPHRASE."


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command did: `say` tells a person, `facts` a program."""

    say: Callable[[], None]
    facts: dict[str, object] = field(default_factory=dict)


def answering(command: Callable[..., Answer]) -> Callable[..., None]:
    """Give a command its --json option, its output and its exit code."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @functools.wraps(command)
    def run(*args: Any, as_json: bool, **kwargs: Any) -> None:
        try:
            answer = command(*args, **kwargs)
        except (Refusal, Fault) as error:
            refuse(sentence(str(error)), EXIT_REFUSED, as_json=as_json)
        except (KeyboardInterrupt, click.Abort) as stop:
            if unanswered(stop):
                refuse(_NOT_GIVEN, EXIT_REFUSED, as_json=as_json)
            refuse("Stopped.", EXIT_INTERRUPTED, as_json=as_json)
        else:
            if as_json:
                click.echo(json.dumps({"ok": True, **answer.facts}))
            else:
                answer.say()

    return run
