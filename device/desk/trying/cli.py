"""`doorctl try-attacks`: hold up a print, a screen and a live face to this door, and write down what came of it.

Rules kept here:
- Nobody is recognised and nothing opens by face while it lasts; PIN and card go on. It ends with this command, however
  that ends.
- Written down is a whole try-out. One that was stopped leaves what stood before as it was, unless a print or a screen
  was taken for a live face in it: that is written down even after Ctrl-C, because it makes the door stricter.
- It is refused before anybody stands up if it could not be written down, or if the door has no lights to test with.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click

from device import config as door_config
from device import installing, tried
from device.config.tables import Config
from device.desk.answers import Answer, answering, if_stopped, screen, tell
from device.desk.client import DeskLine
from device.desk.setup.terminal import Console
from device.desk.trying import words
from device.desk.trying.session import Session, TimeOver
from device.errors import ConfigRefused, Fault, ModelRefused, NotPermitted, Refusal
from device.paths import Paths, door_paths
from device.tried import ATTACKS, LEAST_ATTACKS, LEAST_LIVE, MOST_TRIES, Facts, Instrument, Tryout

STOPPED = "Stopped. Nothing was written, and faces are recognised as before."
_BEGIN = (
    "You will need a good print of a face and a telephone or tablet, and about ten minutes. Meanwhile no face is "
    "recognised at this door and none opens it; nothing of what you hold up is compared or kept. PIN and card go on. "
    "It ends after 15 minutes, or at once with Ctrl-C."
)
_SIM = "This is a simulated door: what is tried here holds for no other."
_RESTART = "It counts from the next start on: `systemctl restart doorward-lock doorward-vault`."


@click.command("try-attacks")
@click.option(
    "--tries",
    type=click.IntRange(1, MOST_TRIES),
    default=LEAST_ATTACKS,
    show_default=True,
    help=f"How often a print and a screen are held up each; fewer than {LEAST_ATTACKS} allow nothing. A live face half "
    "as often.",
)
@click.option("--show", is_flag=True, help="Only say what was tried at this door, and whether it holds.")
@answering
def try_attacks(*, tries: int, show: bool) -> Answer:
    """Try whether a print or a screen passes for a live face at this door.

    Leads you through it: your own face, then a print, then a screen, each held up by you before the camera. What came
    of it goes on the sign of the door, and a face alone may open only where none of them passed.

    \b
    Example: doorctl try-attacks
             doorctl try-attacks --show --json
    """
    paths = door_paths()
    config = door_config.load(paths.config)
    if show:
        return _shown(paths, config)
    facts = _ready(paths, config)
    tell(_BEGIN)
    if config.lock.board == "sim":
        tell(_SIM)
    if_stopped(STOPPED)
    live = max(1, -(-tries // 2)) if tries < 2 * LEAST_LIVE else LEAST_LIVE
    wanted = {Instrument.LIVE: live, **dict.fromkeys(ATTACKS, tries)}
    with DeskLine.open(paths) as line:
        session = Session(line, Console(sys.stdin, screen()), wanted)
        try:
            session.run()
        except (TimeOver, Refusal, Fault, EOFError, KeyboardInterrupt) as cause:
            if any(session.counts[each].as_live for each in ATTACKS):
                return _written(paths, config, _tryout(session, config, facts))
            if isinstance(cause, TimeOver):
                return Answer(f"The time was over before everything was tried. {STOPPED}", ok=False)
            if isinstance(cause, EOFError):
                raise click.Abort from cause
            raise
    return _written(paths, config, _tryout(session, config, facts))


def _ready(paths: Paths, config: Config) -> Facts:
    """What a try-out would hold for. Raises NotPermitted, ConfigRefused or ModelRefused if none can be made."""
    if not os.access(paths.config.parent, os.W_OK):
        raise NotPermitted("only root may write down what was tried; use sudo")
    if config.camera.backend == "none" or not config.lock.lights:
        raise ConfigRefused(
            "this door has no lights to test faces with ([lock] ..._light_..._pin), so there is nothing to try"
        )
    facts = door_config.tried_facts(config)
    if isinstance(facts, ModelRefused):
        raise facts
    return facts


def _tryout(session: Session, config: Config, facts: Facts) -> Tryout:
    today = time.strftime("%Y-%m-%d", time.gmtime())
    return Tryout(today, config.lock.board == "sim", facts, session.counts)


def _written(paths: Paths, config: Config, tryout: Tryout) -> Answer:
    installing.store(_file(paths), tried.render(tryout).encode("ascii"))
    said = [*words.lines(tryout), f"Written: {_file(paths)}.", _worth(paths, config)]
    if config.lock.board != "sim" and door_config.face_alone_asked(paths.config):
        said.append(_RESTART)
    refused = [each for each in ATTACKS if tryout.counts[each].as_live]
    return Answer("\n".join(said), {"written": str(_file(paths)), **_facts(paths, config, tryout)}, ok=not refused)


def _shown(paths: Paths, config: Config) -> Answer:
    tryout = tried.read(paths.config)
    if tryout is None:
        return Answer("Nobody has tried out attacks at this door; `doorctl try-attacks` leads through it.", ok=False)
    return Answer("\n".join((*words.lines(tryout), _worth(paths, config))), _facts(paths, config, tryout))


def _facts(paths: Paths, config: Config, tryout: Tryout) -> dict[str, object]:
    why = _why(paths, config)
    return {**words.facts(tryout), "face_alone_allowed": not why, "why_not": why}


def _worth(paths: Paths, config: Config) -> str:
    if config.lock.board == "sim":
        return "This is a simulated door, so it says nothing about any other."
    why = _why(paths, config)
    if why:
        return f"A face keeps needing the PIN at this door: {why}."
    return (
        'With this `doorctl setup` takes "a face opens alone" as the worth of a face, and the door keeps to it while a '
        'policy of the manager names "face". `doorctl setup --sign FILE` writes a sign with these counts.'
    )


def _why(paths: Paths, config: Config) -> str:
    return tried.why_not(tried.read(paths.config), door_config.tried_facts(config))


def _file(paths: Paths) -> Path:
    return paths.config.with_name(tried.FILE)
