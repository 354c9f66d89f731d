"""The table of questions: when each is asked, in which words, and what its answer changes. Pure.

Rules kept here:
- One row a question, in the order of asking; what a door cannot have is not asked for it.
- A default is what stands in the draft; a new door's draft holds the cautious values of `device.config.tables`.
- A question that decides about safety (what happens without power, what a line at rest does) says so in its own words,
  before the answer and not in the help.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from device.config.tables import CameraTable, LockTable
from device.desk.setup import alone, page, places, wiring
from device.desk.setup.draft import NEW, Draft
from device.desk.setup.machine import Machine
from device.desk.setup.questions import YES_NO, Choice, Question
from device.errors import ConfigRefused

Words = Callable[[Draft, Machine], str]


@dataclass(frozen=True, slots=True)
class Step:
    """A row: `question` None means that this door is not asked; `take` raises ConfigRefused."""

    question: Callable[[Draft, Machine], Question | None]
    take: Callable[[Draft, Machine, str], Draft]


def _board(draft: Draft, machine: Machine) -> Question:
    choices = [
        Choice("gpiozero", "Raspberry Pi, the pins of its 40-pin header"),
        Choice("gpiod", "Jetson or another Linux board, lines by name or by chip label"),
    ]
    if machine.simulated or draft.config.lock.board == "sim":
        choices.append(Choice("sim", "simulated board, for trying things out: it opens no real door"))
    default = draft.config.lock.board
    if draft.config == NEW:
        default = "sim" if machine.simulated else "gpiozero" if "Raspberry Pi" in machine.model else "gpiod"
    here = f" This machine calls itself {machine.model}." if machine.model else ""
    why = "It decides by which library the pins are driven. The pins themselves come next."
    return Question("lock.board", f"Which board is this?{here}", why, default, tuple(choices))


def _take_board(draft: Draft, machine: Machine, board: str) -> Draft:
    plain = LockTable()
    pins = {wire.key: getattr(plain, wire.key) for wire in wiring.WIRES} if board != draft.config.lock.board else {}
    draft = draft.put("lock", board=board, **pins)
    if board == "sim":
        return draft.put("camera", backend="replay", replay=f"{machine.simulated}/scene.json", pinned="")
    return draft.put("camera", backend=CameraTable().backend, replay="") if _replays(draft) else draft


def _replays(draft: Draft) -> bool:
    return draft.config.camera.backend == "replay"


def _pins(draft: Draft, _machine: Machine) -> Question | None:
    if draft.config.lock.board == "sim":
        return None
    words = f"The lines are wired like this:\n{wiring.table_of(draft.config.lock)}\nIs that so?"
    why = (
        "docs/wiring.md has the same table with a drawing. With no, each line is asked for. Contacts close to ground, "
        "so that a cut cable reads as door open and housing open."
    )
    return Question("pins", words, why, "yes", YES_NO)


def _pin(wire: wiring.Wire, *, asked: Callable[[Draft], bool]) -> Step:
    def question(draft: Draft, machine: Machine) -> Question | None:
        if draft.config.lock.board == "sim" or not asked(draft):
            return None
        named = "GPIO17" if draft.config.lock.board == "gpiozero" else "line:PA.04 or chip:LABEL:17"
        none = ", or none" if wire.optional else ""
        words = f"Which line is the {wire.called} on? A name such as {named}{none}."
        labels = " ".join(f"Chip {chip.label} has {len(chip.lines)} lines." for chip in machine.chips)
        why = f"It is wired {wire.wired}. {labels}".strip()
        stands = str(getattr(draft.config.lock, wire.key))
        return Question(f"lock.{wire.key}", words, why, stands, may_be_empty=wire.optional)

    def take(draft: Draft, machine: Machine, pin: str) -> Draft:
        taken = draft.put("lock", **{wire.key: pin})
        wiring.refuse_lines(taken.config, machine.chips)
        before = wiring.WIRES[: wiring.WIRES.index(wire)]
        other = next((each for each in before if pin and getattr(draft.config.lock, each.key) == pin), None)
        if other is not None:
            msg = f"{pin} is the line of the {other.called} already; one line has one owner"
            raise ConfigRefused(msg)
        return taken

    return Step(question, take)


def _lock(draft: Draft, _machine: Machine) -> Question:
    words = (
        "Which kind of lock is it?\n"
        "A magnet lets the door open whenever its power fails, by design. A strike stays locked without power."
    )
    why = (
        "The way out never passes through this device: a strike has a handle inside; a magnet needs an exit button, an "
        "emergency release and the fire alarm, each cutting its current by itself. Doors on escape routes are "
        "regulated: ask your fire officer. docs/wiring.md has both circuits."
    )
    choices = (
        Choice("fail-secure", "strike, fail-secure: locked without power"),
        Choice("fail-safe", "magnet, fail-safe: OPEN without power"),
    )
    return Question("lock.wiring", words, why, draft.config.lock.wiring, choices)


def _take_lock(draft: Draft, _machine: Machine, kind: str) -> Draft:
    if kind != draft.config.lock.wiring:  # the level that keeps a line at rest locked, docs/wiring.md
        return draft.put("lock", wiring=kind, bolt_active_high=kind == "fail-secure")
    return draft


def _level(draft: Draft, _machine: Machine) -> Question | None:
    if draft.config.lock.board == "sim":
        return None

    def told(*, high: bool) -> str:
        rests = wiring.opens_at_rest(replace(draft.config.lock, bolt_active_high=high))
        rest = "OPEN while the computer is off or starting, unless the relay itself pulls it up" if rests else "locked"
        return f"current flows while the line is {'high' if high else 'low'}; a line that nobody drives: {rest}"

    words = "At which level of its line does current flow through the lock?"
    why = (
        "Take the answer under which a line that nobody drives is a locked door. A computer that is off, starts or "
        "crashes drives nothing. The test of the bolt shows whether it is right."
    )
    choices = (Choice("high", told(high=True)), Choice("low", told(high=False)))
    return Question(
        "lock.bolt_active_high", words, why, "high" if draft.config.lock.bolt_active_high else "low", choices
    )


def _number(
    table: str, key: str, words: str, why: str, *, per_unit: float = 1.0, when: Callable[[Draft], bool] = bool
) -> Step:
    """A number bounded in `device.config.tables`. per_unit: how many of the setting's units one typed unit is."""

    def question(draft: Draft, _machine: Machine) -> Question | None:
        stands = getattr(getattr(draft.config, table), key) / per_unit
        return Question(f"{table}.{key}", words, why, f"{stands:g}") if when(draft) else None

    def take(draft: Draft, _machine: Machine, typed: str) -> Draft:
        try:
            number = float(typed.replace(",", ".")) * per_unit
        except ValueError as cause:
            raise ConfigRefused("please type a number, such as 4 or 2.5") from cause
        whole = isinstance(getattr(getattr(draft.config, table), key), int) and number.is_integer()
        return draft.put(table, **{key: int(number) if whole else number})

    return Step(question, take)


def _rex(draft: Draft, _machine: Machine) -> Question:
    words = "Is there a contact for request to exit?"
    why = (
        "It only keeps an opening from inside from being an alarm; it never moves the bolt. Without it the door cannot "
        "tell an opening from inside from a forced one, and raises no such alarm."
    )
    return Question("lock.rex_wired", words, why, "yes" if draft.config.lock.rex_wired else "no", YES_NO)


def _listed(found: tuple[tuple[str, str], ...], stands: str) -> tuple[Choice, ...]:
    choices = [Choice(path, words) for path, words in found]
    if stands and stands not in dict(found):
        choices.append(Choice(stands, f"{stands}, as now; it is not plugged in"))
    return (Choice("none", "none"), *choices)


def _keypad(draft: Draft, machine: Machine) -> Question | None:
    if draft.config.lock.board == "sim":
        return None
    found = tuple((pad.path, f"{pad.called or 'a keypad'}, {pad.path}") for pad in machine.keypads)
    why = (
        "Take one with a raised 5. Which of several it is, the test finds out: press 5 on it. Its name and its make "
        "are written down, so that another one is an alarm. A keypad that is not listed is not plugged in."
    )
    stands = draft.config.lock.keypad
    only = found[0][0] if len(found) == 1 else "none"
    choices = _listed(found, stands)
    return Question("lock.keypad", "Which keypad does the door have?", why, stands or only, choices)


def pin_keypad(draft: Draft, machine: Machine, path: str) -> Draft:
    """The draft with the keypad `path` and its make; "none" for no keypad."""
    makes = {pad.path: pad.make for pad in machine.keypads}
    if path == "none":
        return draft.put("lock", keypad="", keypad_id="")
    known = draft.config.lock.keypad_id if path == draft.config.lock.keypad else ""
    return draft.put("lock", keypad=path, keypad_id=makes.get(path, "") or known)


def _osdp(draft: Draft, machine: Machine) -> Question | None:
    if draft.config.lock.board == "sim":
        return None
    why = (
        "A reader with keys on two wires (RS-485) with OSDP and its secure channel. It needs a key of its own, "
        "docs/wiring.md. Cards are read over PC/SC."
    )
    found = tuple((path, path) for path in machine.serials)
    stands = draft.config.lock.osdp
    words = "Which serial line does an OSDP reader hang on?"
    return Question("lock.osdp", words, why, stands or "none", _listed(found, stands))


def _has_osdp(draft: Draft) -> bool:
    return bool(draft.config.lock.osdp)


def _cards(draft: Draft, machine: Machine) -> Question | None:
    if draft.config.lock.board == "sim":
        return None
    stands = draft.config.lock.card_reader
    found = dict.fromkeys(_beginning(name) for name in machine.readers)
    why = (
        "A contactless reader over PC/SC, inside, behind a panel. Only the beginning of its name is written down: the "
        "numbers at the end change when it is plugged in again. One that is not listed: see docs/wiring.md."
    )
    words = "Which card reader does the door have?"
    return Question("lock.card_reader", words, why, stands or "none", _listed(tuple((n, n) for n in found), stands))


def _beginning(name: str) -> str:
    words = name.split(" ")
    while len(words) > 1 and words[-1].isdigit():
        words.pop()
    return " ".join(words)


def _camera(draft: Draft, machine: Machine) -> Question:
    words = {
        "picamera2": "a Raspberry Pi camera, or a USB camera that libcamera knows (picamera2)",
        "replay": "the simulated board's camera, for trying things out",
        "none": "no camera: the door opens by PIN, code and card",
    }
    stands = draft.config.camera
    default = stands.device if stands.backend == "v4l2" else stands.backend
    left_out = ("v4l2",) if draft.config.lock.board == "sim" else ("v4l2", "replay")
    choices = tuple(Choice(name, words.get(name, name)) for name in places.camera_backends() if name not in left_out)
    plugged = tuple((path, f"the USB camera {path} (V4L2; Jetson, and others)") for path in machine.cameras)
    choices += _listed(plugged, stands.device if stands.backend == "v4l2" else "")[1:]
    why = (
        "A face is never required. No frame is read now; whether the camera is there can be tried at the end, and only "
        "there and only if you say so is one picture looked at."
    )
    return Question("camera.backend", "Which camera does the door have?", why, default, choices)


def _take_camera(draft: Draft, machine: Machine, backend: str) -> Draft:
    if backend.startswith("/dev/"):
        return pin_camera(draft, draft.put("camera", backend="v4l2", device=backend, replay=""))
    scene = f"{machine.simulated}/scene.json" if backend == "replay" else ""
    return pin_camera(draft, draft.put("camera", backend=backend, replay=scene))


def pin_camera(before: Draft, after: Draft) -> Draft:
    """`after`, which keeps the pin of `before` only where it is about the same camera; the trial pins it anew."""
    old, new = before.config.camera, after.config.camera
    same = (old.backend, old.device) == (new.backend, new.device)
    return after if same or new.pinned != old.pinned else after.put("camera", pinned="")


def _sees(draft: Draft) -> bool:
    return draft.config.camera.backend != "none"


def _tier(draft: Draft, _machine: Machine) -> Question | None:
    if not _sees(draft):
        return None
    words = "What is a recognised face worth at this door?"
    why = (
        "A photograph would open a door where a face alone does and nothing looks for one. So a face alone needs the "
        "two white lights, a print and a screen that were held up to this very door (`doorctl try-attacks`) and "
        'never taken for a live face, and a policy of the manager that names "face".'
    )
    choices = (
        Choice("face+pin", "it takes the place of the flat number, and the PIN is asked for as well"),
        Choice("face", "it opens alone; only where attacks were tried on this door, and the manager signs it"),
    )
    return Question("lock.tier", words, why, draft.config.lock.tier, choices)


def _contact(draft: Draft, _machine: Machine) -> Question:
    words = "Whom can people ask about this door? One line for the sign: an office, a telephone number, an address."
    why = (
        "It is printed on the sign for everybody who passes by, and stands in door.toml. How long what is kept is "
        "kept follows from the door and is on the sign by itself: nothing of people who pass by, a resident's template "
        "until they erase it or their place ends."
    )
    return Question("sign.contact", words, why, draft.config.sign.contact or None)


def _watchdog(draft: Draft, machine: Machine) -> Question | None:
    if draft.config.lock.board == "sim" or not machine.watchdog:
        return None
    words = "Shall this board start anew by itself when it hangs? Its watchdog is then fed by systemd."
    why = (
        "When systemd or the kernel stands still for ten seconds, nobody can open the door by anything; a new start "
        "mends that, and the bolt is meanwhile as without power. It holds for the whole machine. No failure of a part "
        "of the door resets the board."
    )
    return Question("machine.watchdog", words, why, "yes" if draft.watchdog else "no", YES_NO)


def _label(draft: Draft, _machine: Machine) -> Question | None:
    if not draft.label_due or draft.config.door.id:
        return None
    words = "Where is the label of the manager? A file; none to join later with `doorctl join`."
    why = (
        "The manager makes a label for this door with `doorward`. With it the door learns its id, whose documents it "
        "believes, and its broker. Afterwards you read a fingerprint to the manager."
    )
    return Question("label", words, why, draft.label, may_be_empty=True)


STEPS: tuple[Step, ...] = (
    Step(_board, _take_board),
    Step(_pins, lambda draft, _, answer: replace(draft, own_lines=answer == "no")),
    *(
        _pin(wire, asked=(lambda _: True) if wire.optional and not wire.one_by_one else (lambda draft: draft.own_lines))
        for wire in wiring.WIRES
    ),
    Step(_lock, _take_lock),
    Step(_level, lambda draft, _, answer: draft.put("lock", bolt_active_high=answer == "high")),
    _number(
        "lock",
        "unlock_ms",
        "For how many seconds does an opening last?",
        "The door locks again by itself after this time, or as soon as it was opened and shut. The relay's one-shot is "
        "set to the same time or a little more.",
        per_unit=1000,
    ),
    Step(_rex, lambda draft, _, answer: draft.put("lock", rex_wired=answer == "yes")),
    Step(_keypad, pin_keypad),
    Step(_osdp, lambda draft, _, answer: draft.put("lock", osdp="" if answer == "none" else answer)),
    _number("lock", "osdp_address", "Which address does the reader have?", "Its maker's tool sets it.", when=_has_osdp),
    _number("lock", "osdp_baud", "How many baud does the line have?", "Its maker's tool sets it.", when=_has_osdp),
    Step(_cards, lambda draft, _, answer: draft.put("lock", card_reader="" if answer == "none" else answer)),
    Step(_camera, _take_camera),
    Step(lambda draft, machine: places.faces(draft, machine) if _sees(draft) else None, places.take_faces),
    Step(places.pins, places.take_pins),
    _number(
        "vault",
        "strangers_per_day",
        "How many strangers a day press the face button?",
        "The threshold follows from it, docs/budget.md. More strangers make the door stricter; at least 5 are counted.",
        when=_sees,
    ),
    _number(
        "vault",
        "false_opens_per_year",
        "How many false opens a year are allowed at most?",
        "A door that opens by face will one day open for a stranger who looks like a resident. Less is stricter, and "
        "refuses residents more often; more than 1 is not to be had.",
        when=_sees,
    ),
    Step(_tier, alone.take),
    _number(
        "sign",
        "view_deg",
        "How many degrees wide does the camera see?",
        "Its maker names the horizontal field of view; 66 is a Raspberry Pi Camera Module 3, 102 its wide one. From it "
        "the sign says how far away a face may still be found.",
        when=_sees,
    ),
    Step(_contact, lambda draft, _, answer: draft.put("sign", contact=answer)),
    Step(page.served, page.take_served),
    Step(page.port, page.take_port),
    Step(page.name, page.take_name),
    Step(page.always, page.take_always),
    Step(_watchdog, lambda draft, _, answer: replace(draft, watchdog=answer == "yes")),
    Step(_label, lambda draft, _, answer: replace(draft, label=answer)),
)
