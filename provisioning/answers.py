"""How a command of doorward answers: one object with --json, sentences without, and the exit code.

Rules kept here:
- 0 done, 1 refused with the reason in one sentence, 2 usage (click's own), 130 interrupted.
- With --json exactly one object goes to stdout; a refusal or fault of ours never shows a traceback.

(doorctl has the same few lines: the door's rooms and the manager's side share no code but the formats.)
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import click

from device import terminal
from device.errors import Fault, Refusal

EXIT_REFUSED = 1
_NOT_GIVEN = "The passphrase was not given; type it or set DOORWARD_PASSPHRASE."
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells report it


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
            _refuse(_sentence(terminal.plain(str(error))), EXIT_REFUSED, as_json=as_json)
        except (KeyboardInterrupt, click.Abort) as stop:
            # click turns both Ctrl-C and the end of the input into Abort; only the first is the person's wish.
            if isinstance(stop.__context__, EOFError):
                _refuse(
                    "The passphrase was not given; type it or set DOORWARD_PASSPHRASE.", EXIT_REFUSED, as_json=as_json
                )
            _refuse("Stopped.", EXIT_INTERRUPTED, as_json=as_json)
        else:
            if as_json:
                click.echo(json.dumps({"ok": True, **answer.facts}))
            else:
                answer.say()

    return run


def _refuse(sentence: str, code: int, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"ok": False, "reason": sentence}))
    else:
        click.echo(sentence, err=True)
    click.get_current_context().exit(code)


def _sentence(text: str) -> str:
    named = {".", "/", "_"} & set(text.split(" ", 1)[0])  # a file's name stays as it is
    return (text[:1] if named else text[:1].upper()) + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
