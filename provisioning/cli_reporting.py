"""`doorward reporting` and `doorward alarm`: what doors tell, and why they raised an alarm.

Rules kept here:
- What a choice gives away is said where it is made.
- The passphrase comes from a prompt or from DOORWARD_PASSPHRASE, never from the arguments.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from device import reading
from device.document import LEAST_EPSILON_MILLI, MOST_EPSILON_MILLI, NO_COUNT, Telling
from device.wire import NO_ALARM_KEY, OccurrenceKind, Profile
from provisioning import document_files, files, options
from provisioning import fleet as fleets
from provisioning import reporting as reportings
from provisioning.answers import Answer, answering
from provisioning.errors import FleetRefused
from provisioning.supervising import TESTS_A_DAY, sends_tests

_FILE = click.Path(dir_okay=False, path_type=Path)
_LEAST, _MOST = LEAST_EPSILON_MILLI / 1000, MOST_EPSILON_MILLI / 1000
_PROFILES = {"building": Profile.BUILDING, "home": Profile.HOME}
_ABOUT = {
    OccurrenceKind.FORCED_OPEN: "the door was opened by force, or from inside without its exit button",
    OccurrenceKind.HELD_OPEN: "the door was held open",
    OccurrenceKind.TAMPER: "the housing was opened",
    OccurrenceKind.BREACH: "one of the door's programs did what it must never do",
    OccurrenceKind.BOLT_FAULT: "the bolt does not obey",
    OccurrenceKind.DURESS: "somebody was forced to open, and calls for help",
}


@click.group("reporting")
def reporting_group() -> None:
    """Decide what a door tells by itself.

    \b
    Example: doorward reporting show --fleet ~/fleet --door "Front door"
    """


@reporting_group.command("set")
@options.fleet
@options.door
@click.option(
    "--profile",
    type=click.Choice(sorted(_PROFILES)),
    required=True,
    help="building: the door's health alone. home: live, whether it is locked and shut; for your own home only.",
)
@click.option(
    "--daily-count",
    "epsilon",
    type=click.FloatRange(_LEAST, _MOST),
    help="Tell once a day how often the door was opened, with noise of this epsilon (0.5 is usual; less hides more).",
)
@click.option("--alarm-key", "alarm_key", metavar="HEX", help="What reasons of alarms are sealed to: `alarm key`.")
@click.option("--out", type=_FILE, help="Where the document goes; by default into the fleet's folder.")
@answering
def reporting_set(
    *,
    folder: Path,
    store: str | None,
    door_name: str,
    profile: str,
    epsilon: float | None,
    alarm_key: str | None,
    out: Path | None,
) -> Answer:
    """Make the document that says what a door tells. Whatever is not named is not told.

    \b
    Example: doorward reporting set --fleet ~/fleet --door "Front door" --profile building --daily-count 0.5
    """
    epsilon_milli = NO_COUNT if epsilon is None else round(epsilon * 1000)
    key = reportings.public_key(alarm_key) if alarm_key else NO_ALARM_KEY
    telling = Telling(_PROFILES[profile], epsilon_milli, key)
    fleet = fleets.open_fleet(folder, store)
    files.refuse_unwritable(out)
    made = reportings.set_reporting(
        fleet, door_name, telling, now_unix=int(time.time()), passphrase=options.passphrase()
    )
    path = document_files.keep(folder, made, out)

    def say() -> None:
        click.echo(_in_words(telling))
        click.echo(f"The door needs the document {path}: doorctl apply {path}")

    return Answer(say, {"door": made.door.name, "version": made.version, "document": str(path), **_facts(telling)})


@reporting_group.command("show")
@options.fleet
@options.door
@answering
def reporting_show(*, folder: Path, store: str | None, door_name: str) -> Answer:
    """Show the newest choice made for a door.

    \b
    Example: doorward reporting show --fleet ~/fleet --door "Front door"
    """
    telling = reportings.reporting(fleets.open_fleet(folder, store), door_name) or Telling()
    return Answer(lambda: click.echo(_in_words(telling)), {"door": door_name, **_facts(telling)})


@click.group("alarm")
def alarm_group() -> None:
    """Make the key for the reasons of alarms, and open them.

    \b
    Example: doorward alarm read --key alarm.key alarm.json
    """


@alarm_group.command("key")
@click.option("--key", "path", type=_FILE, required=True, help="The new file for the private half; it stays with you.")
@answering
def alarm_key(*, path: Path) -> Answer:
    """Make a key pair: the doors get the public half, and whoever holds the file reads why they raised alarms.

    \b
    Example: doorward alarm key --key alarm.key
    """
    public = reportings.make_key(path, options.passphrase(new=True)).hex()

    def say() -> None:
        click.echo(f"The private half is in {path}, sealed under the passphrase. Keep a copy of both.")
        click.echo(f"alarm_key  {public}")

    return Answer(say, {"alarm_key": public, "key": str(path)})


@alarm_group.command("read")
@click.option("--key", "path", type=_FILE, required=True, help="The file that `doorward alarm key` has made.")
@click.argument("payload", type=click.Path(dir_okay=False, path_type=Path, allow_dash=True))
@answering
def alarm_read(*, path: Path, payload: Path) -> Answer:
    """Open an alarm: PAYLOAD is a file with the message as the broker sent it, - for the standard input.

    \b
    Example: doorward alarm read --key alarm.key alarm.json
    """
    content = _content(payload)
    alarm = reportings.read_alarm(content, reportings.load_key(path, options.passphrase()))
    kind = alarm.kind
    about = _ABOUT.get(kind, kind.name.lower()) if kind else "a test; nothing has happened, and an alarm would arrive"

    def say() -> None:
        click.echo(f"Door {alarm.door}: {about}.")

    return Answer(say, {"door": alarm.door, "reason": kind.name if kind else "TEST"})


def _content(payload: Path) -> bytes:
    if str(payload) == "-":
        return sys.stdin.buffer.read(reportings.LONGEST_PAYLOAD + 1)
    try:
        return reading.content(payload, reportings.LONGEST_PAYLOAD + 1)
    except OSError as cause:
        msg = f"{payload} cannot be read: {cause.strerror}"
        raise FleetRefused(msg) from cause


def _facts(telling: Telling) -> dict[str, str | float | None]:
    return {
        "profile": telling.profile.name.lower(),
        "daily_count_epsilon": telling.epsilon_milli / 1000 if telling.epsilon_milli != NO_COUNT else None,
        "alarm_key": telling.alarm_key.hex() if telling.alarm_key != NO_ALARM_KEY else None,
    }


def _in_words(telling: Telling) -> str:
    said = ["The door tells how it is: its parts, its storage, its documents; and that an alarm stands."]
    if telling.profile is Profile.HOME:
        said.append(
            "It also tells live whether it is locked and shut. Whoever reads that learns when people come and go: in\n"
            "your own home that is yours to decide; in a house with others it is not."
        )
    if telling.epsilon_milli != NO_COUNT:
        said.append(
            f"Once a day it tells how often it was opened, with noise (epsilon {telling.epsilon_milli / 1000:g}),\n"
            "while at least 20 places are taken. That hides whether any one opening happened, not a person's whole day."
        )
    if telling.alarm_key == NO_ALARM_KEY:
        said.append(
            "Why there was an alarm nobody can read: no alarm key was named. There are no tests either: whoever sees\n"
            "an alarm at the broker knows that something happened at the door at that moment."
        )
        if telling.profile is Profile.BUILDING:
            said.append(
                "Whether the camera works, and whether somebody was locked out, a report says to the alarm key alone:\n"
                "without one a broken camera shows at the door alone, by doorctl status."
            )
    else:
        said.append(f"Why there was an alarm reads whoever holds the key {telling.alarm_key.hex()}.")
        if sends_tests(telling):
            said.append(
                f"About {TESTS_A_DAY:g} times a day, at moments that nobody can foresee, it sends a test of an alarm.\n"
                "Only the key tells it from a real one: you see that the way works, and others not when one was real.\n"
                "Whether the camera works, and whether somebody was locked out, each report says to the key alone."
            )
    return "\n".join(said)
