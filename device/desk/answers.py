"""How a command of doorctl answers: one object with --json, one sentence without, and the exit code.

Rules kept here:
- 0 done, 1 refused with the reason in one sentence, 2 usage (click's own), 130 interrupted.
- With --json exactly one object goes to stdout, whatever happens; what is said on the way goes to stderr.
- A refusal or fault of ours never shows a traceback.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TextIO

import click

from device.errors import Fault, Refusal
from device.terminal import EXIT_INTERRUPTED, EXIT_REFUSED, sentence, unanswered

_JSON = "device.desk.json"
_IF_STOPPED = "device.desk.if_stopped"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command found out: `sentence` for a person, `facts` for a program."""

    sentence: str
    facts: dict[str, object] = field(default_factory=dict)
    ok: bool = True


def answering(command: Callable[..., Answer]) -> Callable[..., None]:
    """Give a command its --json option, its output and its exit code."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @functools.wraps(command)
    def run(*args: Any, as_json: bool, **kwargs: Any) -> None:
        context = click.get_current_context()
        context.meta[_JSON] = as_json
        code = EXIT_REFUSED
        try:
            answer = command(*args, **kwargs)
            code = 0 if answer.ok else EXIT_REFUSED
        except (Refusal, Fault) as error:
            answer = Answer(sentence(str(error)), ok=False)
        except (KeyboardInterrupt, click.Abort) as stop:
            ended = unanswered(stop)
            code = EXIT_REFUSED if ended else EXIT_INTERRUPTED
            stopped = context.meta.get(_IF_STOPPED, "Stopped.")
            answer = Answer("The question was not answered, so nothing was done." if ended else stopped, ok=False)
        _print(answer, as_json=as_json)
        context.exit(code)

    return run


def tell(text: str) -> None:
    """Say something on the way to the answer."""
    click.echo(text, err=bool(click.get_current_context().meta.get(_JSON)))


def screen() -> TextIO:
    """Where a conversation with a person goes: standard output, or with --json standard error."""
    return sys.stderr if click.get_current_context().meta.get(_JSON) else sys.stdout


def confirm(question: str) -> bool:
    """Ask a person yes or no; no is the default."""
    return click.confirm(question, err=bool(click.get_current_context().meta.get(_JSON)))


def if_stopped(sentence: str) -> None:
    """What to say if the person presses Ctrl-C from now on."""
    click.get_current_context().meta[_IF_STOPPED] = sentence


def _print(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        said = {} if answer.ok else {"reason": answer.sentence}
        click.echo(json.dumps({"ok": answer.ok, **said, **answer.facts}))
    else:
        click.echo(answer.sentence, err=not answer.ok)
