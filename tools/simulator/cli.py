"""`doorsim`: a whole door on this machine, with simulated hardware, for trying things out and for tests.

Rules kept here:
- Exit 0: done; 1: refused, the reason in one sentence; 2: wrong usage. No traceback for a person's mistake.
- `--json` prints one object on stdout and nothing else.
- Everything shown here is simulated, and the help says so.
- Cards and the showroom are loaded when somebody asks for them, or for the list: their libraries take long to load.
"""

from __future__ import annotations

import importlib
import json
import math
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from device.errors import Refusal
from device.rooms import PROCESSES, Room
from device.terminal import says_version
from tools.simulator.client import Door, default_root
from tools.simulator.held_up import As
from tools.simulator.layout import Wishes

# Name -> the module that has the command, and what it is called there.
_LATER = {"card": ("tools.simulator.cards.cli", "card"), "show-room": ("tools.simulator.showroom.cli", "show_room")}


class Commands(Mapping[str, click.Command]):
    """The commands of this module, and those that are loaded when they are asked for."""

    def __init__(self, here: Mapping[str, click.Command]) -> None:
        """`here`: this module's, by name."""
        self._here = here

    def __getitem__(self, name: str) -> click.Command:
        """The command of that name. Raises KeyError."""
        if name not in _LATER:
            return self._here[name]
        module, called = _LATER[name]
        found: click.Command = getattr(importlib.import_module(module), called)
        return found

    def __iter__(self) -> Iterator[str]:
        """Their names, which load nothing."""
        yield from self._here
        yield from _LATER

    def __len__(self) -> int:
        """How many there are."""
        return len(self._here) + len(_LATER)


class Number(click.FloatRange):
    """A number within bounds. "nan" is none, although it is neither too small nor too large."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """As click's, and no NaN."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value} is not a number.", param, ctx)
        return number


F = TypeVar("F", bound=Callable[..., Any])
_EXIT_CODES = "Exit codes: 0 done; 1 refused, and says why; 2 the command was not understood."
_ROOMS = click.Choice([str(room) for room in PROCESSES])


def _command(call: F) -> F:
    """Shared options and the one way errors end."""

    @wraps(call)
    def guarded(root: Path | None, as_json: bool, **options: Any) -> None:  # noqa: FBT001 - click's values
        try:
            answer = call(Door((root or default_root()).absolute()), **options)
        except (Refusal, OSError) as refusal:
            click.echo(json.dumps({"refused": str(refusal)}) if as_json else f"doorsim: {refusal}", err=not as_json)
            sys.exit(1)
        if as_json:
            click.echo(json.dumps(answer or {"done": True}))
        elif isinstance(answer, dict):
            for key, value in answer.items():
                click.echo(f"{key}: {value}")

    guarded = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(guarded)
    return click.option(  # type: ignore[return-value] # click says no more than that it is callable
        "--root", type=click.Path(path_type=Path), help="The door's folder; default $DOORWARD_ROOT, else one per user."
    )(guarded)


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EXIT_CODES)
@says_version
def main() -> None:
    """A simulated door: the six real processes on hardware that is not there.

    \b
    Example:
      doorsim up --tier face
      doorsim show portrait.jpg
      doorsim press face
      doorsim wait granted=true --timeout 5
      doorsim down
    """


@main.command()
@click.option("--broker", default="", help='Where reports go, such as "mqtt://127.0.0.1:1883". Default: nowhere.')
@click.option(
    "--config", "config_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A door.toml."
)
@click.option(
    "--tier",
    type=click.Choice(["face+pin", "face"]),
    default="face+pin",
    show_default=True,
    help='"face" lets a face alone open. With --no-lights a photo opens such a door.',
)
@click.option("--wiring", type=click.Choice(["fail-secure", "fail-safe"]), default="fail-secure", show_default=True)
@click.option("--unlock-ms", type=click.IntRange(500, 15000), default=4000, show_default=True)
@click.option("--cadence-s", type=Number(1, 86400), default=900.0, show_default=True, help="Seconds between reports.")
@click.option("--manager-key", default="", help="The fleet's public key, as `doorward fleet key` prints it.")
@click.option("--door-id", default=None, help="16 hexadecimal digits, as `doorward door add` prints them.")
@click.option(
    "--lights/--no-lights",
    default=True,
    show_default=True,
    help="The two white lights that tell a face from a picture.",
)
@click.option("--page", is_flag=True, help="The resident's page; `doorsim state` tells its port on this machine.")
@click.option("--unjoined", is_flag=True, help="A new door without an id: `doorctl join` gives it to a manager.")
@_command
def up(door: Door, config_file: Path | None, **wishes: Any) -> dict[str, Any]:
    """Start a door and return when it is ready. A door that exists is booted again as it was.

    \b
    Example: doorsim up --tier face --broker mqtt://127.0.0.1:1883
    """
    config = door.up(Wishes(**wishes), config_file)
    return {"root": str(door.root), "tier": config.lock.tier, "lights": config.lock.lights, "simulated": True}


@main.command()
@_command
def down(door: Door) -> None:
    """Stop the door in order.

    \b
    Example: doorsim down
    """
    door.down()


@main.command()
@_command
def cut(door: Door) -> None:
    """Cut the power: everything at once, no warning. `doorsim up` boots the same door again.

    \b
    Example: doorsim cut
    """
    door.cut()


@main.command()
@click.argument("source")
@click.option("--fps", type=Number(1, 60), help="Default: 15, and 30 for what answers to light.")
@click.option("--scale", type=Number(0.05, 4.0), default=1.0, show_default=True, help="Smaller: farther away.")
@click.option(
    "--as",
    "held_up",
    type=click.Choice([str(kind) for kind in As]),
    help="What somebody holds up: rendered, and lit by the door's two lights. Default: live where the door has lights; "
    "the flat picture itself, which answers to no light, where it has none.",
)
@_command
def show(door: Door, source: str, fps: float | None, scale: float, held_up: str | None) -> None:
    """Put a PICTURE or a FOLDER in front of the camera; `none` takes it away.

    live: a head with this face. print, screen, cutout: the picture on paper, on a telephone, cut out along the face.
    video: fed in behind the lens, so that no light reaches it. turning: a head in strong sun, which turns to the light
    that is bright; turned-print: the picture on bent paper, turned by somebody who does the same. All of them are
    rendered, and stand for no real attack.

    \b
    Example: doorsim show portrait.jpg --as print
    """
    door.show(None if source == "none" else Path(source), fps, scale, As(held_up) if held_up else None)


@main.command()
@click.argument("what", type=click.Choice(["face", "rex"]))
@_command
def press(door: Door, what: str) -> None:
    """Press the face button, or request-to-exit.

    \b
    Example: doorsim press face
    """
    door.press(what)


@main.command()
@click.argument("keys")
@_command
def keys(door: Door, keys: str) -> None:
    """Press KEYS on the keypad, such as '12#482913#'.

    \b
    Example: doorsim keys '12#482913#'
    """
    door.keys(keys)


@main.command()
@click.argument("card", type=click.Path(path_type=Path))
@click.option("--pull-away-after", type=click.IntRange(0, 100), help="Take it away after so many of its answers.")
@_command
def tap(door: Door, card: Path, pull_away_after: int | None) -> None:
    """Hold a simulated CARD to the reader; `doorsim card new` makes one.

    \b
    Example: doorsim tap card.json
    """
    door.tap(card, pull_away_after)


@main.command("door")
@click.argument("position", type=click.Choice(["open", "closed"]))
@_command
def move(door: Door, position: str) -> None:
    """Open or close the door itself.

    \b
    Example: doorsim door open
    """
    door.move_door(is_open=position == "open")


@main.command()
@click.argument("position", type=click.Choice(["on", "off"]))
@_command
def tamper(door: Door, position: str) -> None:
    """Open the housing, or close it.

    \b
    Example: doorsim tamper on
    """
    door.tamper(on=position == "on")


@main.command()
@_command
def state(door: Door) -> dict[str, Any]:
    """What the simulated hardware and its init know.

    \b
    Example: doorsim state --json
    """
    return door.state()


@main.command()
@click.argument("condition")
@click.option("--timeout", "timeout_s", type=Number(0, 600), default=5.0, show_default=True)
@_command
def wait(door: Door, condition: str, timeout_s: float) -> dict[str, Any]:
    """Wait until KEY=VALUE holds in `state`, such as granted=true.

    \b
    Example: doorsim wait granted=true --timeout 5
    """
    key, separator, wanted = condition.partition("=")
    if not separator:
        msg = "wait needs KEY=VALUE, such as granted=true"
        raise click.UsageError(msg)
    if key not in door.state():
        msg = f"state has no {key}; it knows {', '.join(door.state())}"
        raise click.UsageError(msg)
    if not door.wait(lambda now: json.dumps(now[key]).strip('"') == wanted, timeout_s):
        msg = f"{key} was not {wanted} within {timeout_s:g} s"
        raise Unmet(msg)
    return {key: wanted}


@main.command()
@click.argument("room", type=_ROOMS)
@click.option("--signal", "number", type=click.IntRange(1, 64), default=int(signal.SIGKILL), show_default=True)
@_command
def kill(door: Door, room: str, number: int) -> None:
    """Send a signal to one process; the simulated init starts it again.

    \b
    Example: doorsim kill eye --signal 9
    """
    door.kill(Room(room), number)


@main.command()
@click.argument("room", type=_ROOMS)
@_command
def stop(door: Door, room: str) -> None:
    """Stop one process for good, as `systemctl stop` would.

    \b
    Example: doorsim stop vault
    """
    door.stop(Room(room))


@main.command()
@click.argument("room", type=_ROOMS)
@_command
def start(door: Door, room: str) -> None:
    """Start a stopped process, as `systemctl start` would.

    \b
    Example: doorsim start vault
    """
    door.start(Room(room))


@main.command()
@click.argument("room", type=_ROOMS)
@_command
def log(door: Door, room: str) -> dict[str, Any]:
    """The last line a process wrote.

    \b
    Example: doorsim log eye
    """
    return {room: door.last_words(Room(room))}


class Unmet(Refusal, TimeoutError):
    """What was waited for did not happen."""


# click asks for a mapping that it could add to, and does not.
main.commands = cast("MutableMapping[str, click.Command]", Commands(main.commands))
