"""`guestcodes`: the resident's command for letting guests in, on their own computer.

Rules kept here:
- The secret comes from a prompt that shows nothing or from GUESTCODES_SECRET, never from the arguments, which others on
  the computer can see. It is written to no file unless somebody asks for one by name, and that one is readable by its
  owner alone.
- Nothing here talks to the door or to a network.
- Exit 0: done; 1: refused, with the reason in one sentence; 2: usage (click's own). `--json` prints one object.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from device.codes import NUMBERS
from device.errors import CredentialRefused, Refusal
from device.terminal import EXIT_CODES, EXIT_INTERRUPTED, EXIT_REFUSED, refuse, says_version, sentence, unanswered
from tools.guestcodes import making
from tools.guestcodes.making import HIGHEST_FLAT, Made, grouped

SECRET_VARIABLE = "GUESTCODES_SECRET"  # noqa: S105 - the name of a variable
_NOT_GIVEN = f"The secret was not given; type it or set {SECRET_VARIABLE}."


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command did: lines for a person, facts for a program."""

    lines: list[str]
    facts: dict[str, object] = field(default_factory=dict)


def _answering(command: Callable[..., Answer]) -> Callable[..., None]:
    """Give a command its --json option, its output and its exit code."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @functools.wraps(command)
    def run(*args: Any, as_json: bool, **kwargs: Any) -> None:
        try:
            answer = command(*args, **kwargs)
        except Refusal as refusal:
            refuse(sentence(str(refusal)), EXIT_REFUSED, as_json=as_json)
        except (KeyboardInterrupt, click.Abort) as stop:
            ended = unanswered(stop)
            refuse(_NOT_GIVEN if ended else "Stopped.", EXIT_REFUSED if ended else EXIT_INTERRUPTED, as_json=as_json)
        else:
            click.echo(json.dumps({"ok": True, **answer.facts}) if as_json else "\n".join(answer.lines))

    return run


_flat = click.option("--flat", type=click.IntRange(1, HIGHEST_FLAT), required=True, help="The number of your flat.")
_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXIT_CODES)
@says_version
def cli() -> None:
    """Make codes with which your guests open the door: for one time, or for some days.

    You make one secret and type it at the door once. From then on you make codes here, as you need them, without the
    door and without a network. A guest types your flat's number, #, the code, #.

    \b
    Example: guestcodes new
    """


@cli.command("new")
@click.option(
    "--save", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write the secret to this new file as well."
)
@_answering
def new(*, path: Path | None) -> Answer:
    """Make a new secret, and say what to type at the door.

    Write it down where only you will find it. Whoever has it can make codes for your door. When you type a new secret
    at the door, every code of the old one ends.

    \b
    Example: guestcodes new
    """
    secret = making.new_secret()
    if path is not None:
        _save(path, secret)
    at_the_door = f"09 # your flat # your PIN # {grouped(secret)} #"
    lines = [f"Your new secret: {grouped(secret)}", "", f"Type once at the door: {at_the_door}", ""]
    lines += [
        "Keep the secret: you need it here for every code. All codes of an older secret end when the door takes it."
    ]
    lines += (
        [f"It is also in {path}, which only you can read."] if path is not None else ["It was not stored anywhere."]
    )
    return Answer(lines, {"secret": secret, "at_the_door": at_the_door, "file": str(path) if path else None})


@cli.command("once")
@_flat
@click.option("--count", type=click.IntRange(1, NUMBERS), default=1, show_default=True, help="How many codes.")
@click.option(
    "--from-number",
    type=click.IntRange(0, NUMBERS - 1),
    default=0,
    show_default=True,
    help="The first code's number. Each number opens one time only, so begin after the last one you gave away.",
)
@_answering
def once(*, flat: int, count: int, from_number: int) -> Answer:
    """Make codes that open one time each, in any order, whenever that is.

    A secret has 64 of them, with the numbers 0 to 63. Nobody but you remembers which ones you gave away.

    \b
    Example: guestcodes once --flat 12 --count 5 --from-number 10
    """
    made = making.once(_secret(), flat, from_number, count)
    following = from_number + count
    rest = f"Next time: --from-number {following}." if following < NUMBERS else "That was the last one of this secret."
    lines = [f"number {code.number:2d}: {code.keys}" for code in made]
    return Answer(
        [*lines, "", f"Each opens one time. {rest}"], {"flat": flat, "codes": [_facts(code) for code in made]}
    )


@cli.command("days")
@_flat
@click.option("--from", "first", type=_DAY, metavar="YYYY-MM-DD", required=True, help="The first day.")
@click.option("--to", "last", type=_DAY, metavar="YYYY-MM-DD", required=True, help="The last day, which counts too.")
@_answering
def days(*, flat: int, first: dt.datetime, last: dt.datetime) -> Answer:
    """Make a code that opens as often as your guest likes, from one day to another.

    The days are those of the clock at the door, and both count in full.

    \b
    Example: guestcodes days --flat 12 --from 2027-03-01 --to 2027-03-08
    """
    made = making.window(_secret(), flat, first.date(), last.date())
    said = f"It opens from {made.first} to the end of {made.last}, as often as your guest likes."
    end = "Only a new secret at the door ends it sooner."
    return Answer([made.keys, "", said, end], {"flat": flat, "codes": [_facts(made)]})


def _facts(code: Made) -> dict[str, object]:
    if code.number is not None:
        return {"number": code.number, "digits": code.digits, "keys": code.keys}
    return {"first": str(code.first), "last": str(code.last), "digits": code.digits, "keys": code.keys}


def _secret() -> str:
    given = os.environ.get(SECRET_VARIABLE)
    return making.read_secret(given if given is not None else click.prompt("Your secret", hide_input=True, err=True))


def _save(path: Path, secret: str) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secret + "\n")
    except FileExistsError as cause:
        msg = f"the file {path} is there already, and it may hold a secret that is still in use; name another one"
        raise CredentialRefused(msg) from cause
    except OSError as cause:
        msg = f"the secret cannot be written to {path}: {cause.strerror}"
        raise CredentialRefused(msg) from cause


def main() -> None:
    """The console script."""
    cli(prog_name="guestcodes")
