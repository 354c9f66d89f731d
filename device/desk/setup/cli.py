"""`doorctl setup`: the interactive first run.

Rules kept here:
- Nothing is written before the last yes, and then everything or nothing. A door.toml that stands there is shown as
  differences, and stays without a yes.
- The lines are tried with the answers, not with what stands on the disk: what is written down has been seen to work, or
  is named as not tried.
- Joining is that of `doorctl join`, after the files stand. A label that is refused takes nothing of them back.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from device import config as door_config
from device import installing, reading
from device.config.tables import Config
from device.desk.answers import Answer, answering, if_stopped, screen
from device.desk.joining import steps as joining
from device.desk.joining.steps import AtTheDoor
from device.desk.setup import answers, draft, interview, readers, running, sight, sign, trials, writing
from device.desk.setup.draft import NEW, Draft
from device.desk.setup.interview import Interview
from device.desk.setup.lines import TrialLines
from device.desk.setup.machine import Machine, look
from device.desk.setup.neighbours import NeighbourFault, ask
from device.desk.setup.terminal import Back, Console, Terminal, agrees, sentence
from device.desk.setup.trials import Trials
from device.desk.upkeep import whole_machine
from device.errors import ConfigRefused, Fault, JoiningRefused, Refusal, StoreFault
from device.joining import Label
from device.learned import LARGEST_TEXT
from device.paths import Paths, door_paths
from device.tried import known

_FILE = click.Path(dir_okay=False, path_type=Path)
NOTHING = "Nothing was written."
START = (
    "systemctl daemon-reload && udevadm control --reload && udevadm trigger && systemctl enable --now doorward.target"
)


@click.command()
@click.option("--answers", "answers_file", type=_FILE, help="A TOML file with the answers; nobody is asked.")
@click.option("--check", is_flag=True, help="Only try the lines of the door as it is set up; changes nothing.")
@click.option("--sign", "sign_file", type=_FILE, help="Only write the sign for the door to this new file, and show it.")
@answering
def setup(*, answers_file: Path | None, check: bool, sign_file: Path | None) -> Answer:
    """Set up this door: board, lock, lines, keys, budget and the sign, with a trial of each line.

    Answer with a number or a text; Enter takes what stands in brackets, ? explains, back goes back. Nothing is written
    before the end. The door must be stopped meanwhile.

    \b
    Example: doorctl setup
             doorctl setup --answers front-door-answers.toml
             doorctl setup --check
             doorctl setup --sign sign.html
    """
    if [answers_file is not None, check, sign_file is not None].count(True) > 1:
        msg = "--answers, --check and --sign go alone"
        raise click.UsageError(msg)
    paths = door_paths()
    if sign_file is not None:
        return _only_sign(paths, sign_file)
    running.refuse_if_not_alone(paths)
    terminal = Console(sys.stdin, screen())
    if check:
        return _check(paths, terminal)
    standing = _standing(paths, terminal)
    if answers_file is not None:
        return _by_file(paths, answers_file, standing)
    if_stopped(NOTHING)
    try:
        return _by_hand(paths, standing, terminal)
    except EOFError as cause:
        raise click.Abort from cause


def _standing(paths: Paths, terminal: Terminal | None = None) -> Config | None:
    """What door.toml holds now, without joined.toml; None if it is not there, or nothing that can be read."""
    try:
        return door_config.parse(reading.text(paths.config, LARGEST_TEXT), without_id=True)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as cause:
        msg = f"{paths.config} cannot be read, so it is not touched: {cause}"
        raise ConfigRefused(msg) from cause
    except ConfigRefused as refusal:
        if terminal is None:
            raise
        terminal.say(f"The settings that stand here are of no use: {refusal}. They are asked for anew.")
        return NEW


def _joined(paths: Paths) -> str:
    """joined.toml, empty if this door has not joined. Raises ConfigRefused."""
    try:
        return reading.text(installing.joined(paths.config), LARGEST_TEXT)
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as cause:
        msg = f"{installing.joined(paths.config)} cannot be read: {cause}"
        raise ConfigRefused(msg) from cause


# ---- by hand


def _by_hand(paths: Paths, standing: Config | None, terminal: Terminal) -> Answer:
    machine, joined = look(paths, ask), _joined(paths)
    feeds = standing is None or whole_machine.feeds_watchdog(paths.root)
    begun = Draft(standing or NEW, label_due=not joined, watchdog=feeds)
    terminal.say(
        "Enter takes what stands in brackets, ? explains, back goes back, Ctrl-C stops. Nothing is written yet."
    )
    asked = Interview.begin(begun, machine)
    while True:
        asked = interview.hold(asked, terminal, joined)
        try:
            _label_of(asked.draft)
            done, tried = _try_lines(asked.draft, machine, terminal, may_change=True)
            interview.refuse_unfit(done, machine, joined)
            _tell_budget(done, terminal)
            if not _agreed(done, machine, standing, paths, terminal):
                return Answer(NOTHING, ok=False)
            return _written(done, machine, paths, trials.told(tried))
        except Back:
            asked = asked.back()
        except (ConfigRefused, JoiningRefused) as refusal:
            terminal.say(sentence(refusal))
            asked = asked.back()


def _try_lines(chosen: Draft, machine: Machine, terminal: Terminal, *, may_change: bool) -> tuple[Draft, Trials]:
    """Try lines, keypad, readers and camera; the draft after that, and what became of it. Raises Back."""
    while True:
        tried = Trials(chosen, terminal, TrialLines, may_change)
        try:
            chosen = tried.run()
            break
        except NeighbourFault as fault:
            chosen = tried.draft
            if not trials.refused(fault, terminal):
                tried.untried.append("the lines")
                break
    chosen, right = sight.keypad(chosen, machine, terminal, ask, may_change=may_change)
    if not right:
        tried.untried.append("the keypad")
    tried.untried += readers.untried(chosen, terminal, ask)
    if chosen.config.camera.backend != "none":
        alone = Trials(chosen, terminal, TrialLines)
        chosen, seen = sight.camera(chosen, terminal, ask, alone.lit, may_change=may_change)
        if not seen:
            tried.failed.append("the camera")
    return chosen, tried


def _tell_budget(chosen: Draft, terminal: Terminal) -> None:
    if chosen.config.camera.backend == "none":
        return
    try:
        terminal.say(sight.consequence(chosen, ask))
    except NeighbourFault as fault:
        terminal.say(sentence(fault))


def _agreed(chosen: Draft, machine: Machine, standing: Config | None, paths: Paths, terminal: Terminal) -> bool:
    """Whether door.toml may be written as it is shown."""
    if standing is None:
        terminal.say(f"\nThis is {paths.config}:\n\n{draft.render(chosen.config)}")
    else:
        changes = draft.differences(standing, chosen.config)
        terminal.say("\n" + ("\n".join(changes) or f"Nothing changes in {paths.config}."))
        if _moves_keys(standing, chosen.config):
            terminal.say(
                "A key is not moved: who is set up at this door already has to be set up anew. See docs/keys.md."
            )
        terminal.say("The file is written anew, so comments of yours in it are lost.")
    if chosen.config.lock.board != "sim":
        terminal.say(whole_machine.told(watchdog=chosen.watchdog and machine.watchdog))
    why = "Until now nothing was changed on this machine."
    return agrees(terminal, "write", "Shall this be written?", why, default=None)


def _moves_keys(old: Config, new: Config) -> bool:
    return (old.vault.key_store, old.keeper.key_store) != (new.vault.key_store, new.keeper.key_store)


# ---- by a file


def _by_file(paths: Paths, answers_file: Path, standing: Config | None) -> Answer:
    machine, joined = look(paths, ask), _joined(paths)
    chosen, may_replace = answers.read(answers_file, Draft(standing or NEW, label_due=not joined))
    if chosen.config.camera.backend == "replay" and machine.simulated and not chosen.config.camera.replay:
        chosen = chosen.put("camera", replay=f"{machine.simulated}/scene.json")
    interview.refuse_unfit(chosen, machine, joined)
    if standing is not None and standing != chosen.config and not may_replace:
        changes = " ".join(draft.differences(standing, chosen.config))
        msg = f"{paths.config} stands already and is not replaced without `replace = true` in [setup]. {changes}"
        raise ConfigRefused(msg)
    with TrialLines(chosen.config):
        pass  # every line was claimed, and the bolt with its secured level
    if chosen.config.camera.backend != "none":
        pinned = sight.probe(chosen, ask)
        chosen = pinned if standing is None or may_replace else chosen
    return _written(chosen, machine, paths, "Every line could be had. None was tried by hand: `doorctl setup --check`.")


# ---- the end


def _label_of(chosen: Draft) -> Label | None:
    """The label to join with, if one was named. Raises JoiningRefused."""
    return joining.read_label(Path(chosen.label)) if chosen.label else None


def _written(chosen: Draft, machine: Machine, paths: Paths, tried: str) -> Answer:
    label = _label_of(chosen)  # refused before anything is written
    on_machine = writing.of_the_machine(chosen.config, paths, watchdog=chosen.watchdog and machine.watchdog)
    writing.write((*on_machine, *writing.sheets(chosen.config, paths)))
    said = [
        sign.text(chosen.config, known(paths.config)),
        "",
        f"The sign to print is {writing.sign_at(paths)}.",
        *_of_page(chosen.config),
        tried,
    ]
    facts: dict[str, object] = {"written": str(paths.config), "sign": str(writing.sign_at(paths)), "joined": False}
    if label is not None:
        try:
            AtTheDoor.here(paths).take(label)
        except (Refusal, Fault) as error:
            msg = f"the door is set up, but it has not joined: {error}"
            raise StoreFault(msg) from error
        facts["joined"] = True
        said.append("The door has joined its manager; `doorctl join` shows what to compare, once it runs.")
    said.append(f"Written: {paths.config}. " + _start(chosen.config))
    return Answer("\n".join(said), facts)


def _of_page(config: Config) -> tuple[str, ...]:
    if not config.page.served or config.lock.board == "sim":
        return ()
    if not config.page.url:
        return ("The residents' page has no name yet, so neither the sign nor a QR code can tell where it is.",)
    return (f"The residents' page is {config.page.url}; `doorctl page --qr page.svg` draws its code for the wall.",)


def _start(config: Config) -> str:
    return "`doorsim up` starts the door." if config.lock.board == "sim" else f"To start the door: `{START}`."


# ---- only a look


def _check(paths: Paths, terminal: Terminal) -> Answer:
    machine = look(paths, ask)
    standing = Draft(door_config.load(paths.config, without_id=True))
    try:
        _, tried = _try_lines(standing, machine, terminal, may_change=False)
    except Back:
        return Answer("Stopped. Nothing was changed.", ok=False)
    except EOFError as cause:
        raise click.Abort from cause
    return Answer(trials.told(tried), {"failed": tried.failed, "untried": tried.untried}, ok=not tried.failed)


def _only_sign(paths: Paths, file: Path) -> Answer:
    config = door_config.load(paths.config, without_id=True)
    if not config.sign.contact:
        raise ConfigRefused("[sign] contact is missing: the sign names somebody whom people can ask")
    tryout = known(paths.config)
    joining.write_request(file, sign.page(config, tryout).encode("utf-8"))
    return Answer(f"{sign.text(config, tryout)}\n\nThe sign to print is {file}.", {"sign": str(file)})
