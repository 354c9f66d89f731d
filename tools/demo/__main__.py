"""The demo's story, step by step; its last line is one JSON object, its exit code says whether all of it came true.

Rules kept here:
- Nothing is asserted that was not seen: openings are read off the simulated strike, refusals off its silence and the
  tone the person hears, bytes off a subscriber at the broker that knows nothing of the door.
- Hardware, broker and strangers are simulated or public samples, and the demo says so. So is the tier: a face alone
  opens here, which no real door does before a liveness test was tried on it.
- People and attacks are rendered (`tools.attack_lab`): a print that is refused here says that the parts work together,
  and nothing about a print in front of a real camera.
- A termination and a closed terminal end it in order, as Ctrl-C does: door, broker, folder. So does a reader who has
  read enough (`make demo | head`).
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from device.edges import Room
from device.errors import Fault, Refusal
from tools.demo.choice import in_browser
from tools.demo.stage import Stage, stage
from tools.portraits import portrait
from tools.simulator.showroom.cli import show_room

USAGE = """Usage: python -m tools.demo, or: make demo

A day at a simulated door, told in the terminal in about a minute; Ctrl-C ends it, and takes everything away again.
It takes no arguments. DEMO=show opens a page to try a door on instead; DEMO=story asks nobody which of the two.

Exit codes: 0 all of it came true; 1 something did not; 130 stopped by Ctrl-C."""
PIN = "482913"
SLOT = "12"
UNLOCK_MS = 2000
CADENCE_S = 2.0
CONSENT, RECEIPT = "my-consent.txt", "my-receipt.txt"
A_STEP_NEARER = 1.1
TRIES = 6  # windows of somebody who lives here: an eye that gets too few frames says so rather than open
NEARER = 1.3  # the third portrait shows more of the coat than the others: its owner stands a step nearer


def look(stage: Stage, picture: Path, held_up: str = "live") -> tuple[bool, str]:
    """Somebody with this face, or who holds it up, presses the button: whether the strike let go, what they heard."""
    stage.run("doorsim", "show", str(picture), "--as", held_up)
    stage.door.hurry(Room.EYE)  # whatever else this machine does is no part of a door
    return act(stage, "press", "face")


def comes_home(stage: Stage, picture: Path) -> bool:
    """Whether the strike let go for somebody who lives here, and who tries again as often as people do."""
    for _ in range(TRIES):
        opened, _ = look(stage, picture)
        if opened:
            return True
        print("    the door was not certain enough, perhaps because this machine is busy; people try again")
    return False


def refused(stage: Stage, held_up: str) -> bool:
    """Whether the resident's own picture, held up so, opens nothing in a whole window."""
    opened, heard = look(stage, portrait("obama3.jpg", NEARER), held_up)
    return not opened and heard in ("REFUSED", "USE_PIN_OR_CARD")


def act(stage: Stage, *command: str) -> tuple[bool, str]:
    """One act at the door, once it is secured again: whether the strike let go, and what the person heard."""
    stage.door.wait(lambda now: not now["granted"], 10)
    before = stage.door.state()
    stage.run("doorsim", *command)
    heard = stage.answered(len(before["signals"]))
    opened = stage.door.wait(lambda now: now["releases"] > before["releases"], 0.3)
    print(f"    the person hears {heard}; the door is {'open' if opened else 'locked'}")
    return opened, heard


def times_ms(stage: Stage) -> dict[str, float]:
    """How long the opening took, by the simulated hardware's clock.

    From the exposure of the last frame that was read to the strike letting go; and to that from the lamp, which says
    that the camera may look: with the light challenge, whose lights change at a pace that is safe for everybody.
    """
    state = stage.door.state()
    released = [at_ns for at_ns, line, level in state["history"] if line == "coil" and level][-1]
    looked = [at_ns for at_ns, line, level in state["history"] if line == "lamp" and level and at_ns < released][-1]
    return {
        "frame_to_decision_ms": round((released - int(state["last_frame_ns"])) / 1e6, 1),
        "press_to_open_ms": round((released - looked) / 1e6, 1),
    }


def move_in(stage: Stage) -> None:
    """A manager offers a slot; a resident takes it at the keypad."""
    label, request, document = (str(stage.folder / name) for name in ("front.label", "front.request", "slot-12.doc"))
    stage.say("A property manager sets up a fleet and adds a door: that prints a label, which is good once.")
    stage.run("doorward", "fleet", "init")
    Path(label).write_text(stage.run("doorward", "door", "add", "front")["label"], encoding="ascii")
    stage.say("The door starts: six real processes on simulated hardware. A face alone may open it, in this demo only.")
    stage.run(
        "doorsim", "up", "--unjoined", "--broker", stage.broker.url,
        "--tier", "face", "--unlock-ms", str(UNLOCK_MS), "--cadence-s", str(CADENCE_S),
    )  # fmt: skip
    stage.say(
        "The installer gives the door the label. It makes its own keys, and says a fingerprint to compare by phone."
    )
    read_out = stage.run("doorctl", "join", "--label", label, "--out", request)["fingerprint"]
    stage.run("doorward", "door", "approve", "front", request, "--fingerprint", read_out)
    stage.say("The manager offers slot 12 without learning who will have it, in a document that this door alone reads.")
    offer = stage.run("doorward", "slot", "offer", "--door", "front", "--slot", SLOT, "--out", document)
    stage.run("doorctl", "apply", document)
    stage.say("The resident redeems the invitation at the keypad and chooses a PIN. The manager never learns it.")
    act(stage, "keys", f"00#{SLOT}#{offer['invitation']}#{PIN}#{PIN}#")


def enrol(stage: Stage) -> str:
    """The resident consents and enrols, from two pictures, each from two distances."""
    stage.say("The resident reads the notice, agrees, proves the PIN, presses the face button and looks.")
    pictures = stage.folder / "resident"
    pictures.mkdir()
    for zoom in (1.0, A_STEP_NEARER):
        for name in ("obama.jpg", "obama2.jpg"):
            view = portrait(name, zoom)
            (pictures / f"{zoom:g}-{view.name}").write_bytes(view.read_bytes())
    # Slow enough that each frame is a sample, so that all pictures count alike.
    stage.run("doorsim", "show", str(pictures), "--fps", "2.4")
    act(stage, "keys", f"01#{SLOT}#{PIN}#")
    waiting = stage.start_in_background(
        "doorctl", "enrol", "--consent", "--copy", str(stage.folder / CONSENT), "--wait", "10"
    )
    # doorctl has no sign that it asked already but the camera: press until the window opens.
    end = time.monotonic() + 10
    while time.monotonic() < end and waiting.poll() is None and not stage.door.state()["indicator"]:
        stage.door.press("face")
        stage.door.wait(lambda now: now["indicator"], 0.3)
    stage.door.wait(lambda now: not now["indicator"], 12)
    stage.say(
        "The camera saw a face. It is kept only after the same PIN is shown again: whoever else looked is forgotten."
    )
    act(stage, "keys", f"01#{SLOT}#{PIN}#")
    answer = json.loads(waiting.communicate(timeout=70)[0].strip().splitlines()[-1])
    print(f"    {answer['result']}; the signed consent record is the resident's to keep")
    return str(answer["result"])


def rekeyed(stage: Stage) -> bool:
    """Whether the resident's face opens as before after every key and the rotation of the templates were renewed."""
    stage.say("Somebody repaired the door, and may have copied its files. Every key is renewed; nobody enrols again.")
    stage.run("doorctl", "rekey")
    return comes_home(stage, portrait("obama3.jpg", NEARER))


def idle(stage: Stage) -> bool:
    """Whether the camera gives no frame while nobody pressed the face button, digits included."""
    stage.say("Nobody presses the face button for a while; somebody types digits. The camera must not look.")
    stage.door.wait(lambda now: not now["indicator"], 12)
    before = stage.door.state()
    stage.run("doorsim", "keys", "77#12")
    time.sleep(1.5)
    after = stage.door.state()
    stage.run("doorsim", "keys", "*")
    return bool(before["frames_read"] == after["frames_read"] and not after["camera_open"] and not after["indicator"])


def card(stage: Stage) -> tuple[bool, bool]:
    """The resident adds a card of their own: whether it opens, and whether a copy of it is refused."""
    stage.say(
        "The resident takes a blank card, proves the PIN, and holds it to the reader: the door writes its own key."
    )
    mine, copy = str(stage.folder / "card.json"), str(stage.folder / "copy.json")
    stage.run("doorsim", "card", "new", mine, "--kind", "ntag424")
    act(stage, "keys", f"07#{SLOT}#{PIN}#")
    act(stage, "tap", mine)
    stage.say("The card opens. Somebody copied what can be read of it, as a shop's cloner does; the copy does not.")
    opened, _ = act(stage, "tap", mine)
    stage.run("doorsim", "card", "clone", mine, copy)
    copied, heard = act(stage, "tap", copy)
    return opened, not copied and heard == "REFUSED"


def guest(stage: Stage) -> bool:
    """Whether a code that the resident made without the door opens it once, and once only."""
    stage.say("The resident makes a secret at home, types it once at the door, and from it makes a code for a guest.")
    secret = stage.run("guestcodes", "new")["secret"]
    act(stage, "keys", f"09#{SLOT}#{PIN}#{secret}#")
    code = stage.run("guestcodes", "once", "--flat", SLOT, "--count", "1", secret=secret)["codes"][0]["digits"]
    first, _ = act(stage, "keys", f"{SLOT}#{code}#")
    again, heard = act(stage, "keys", f"{SLOT}#{code}#")
    return first and not again and heard == "REFUSED"


def erase(stage: Stage) -> str:
    """The resident erases the face; no manager needed."""
    stage.say("The resident erases the face at the door. No manager is needed.")
    act(stage, "keys", f"02#{SLOT}#{PIN}#")
    return str(stage.run("doorctl", "erase", "--receipt", str(stage.folder / RECEIPT))["result"])


def receipt_holds(stage: Stage) -> bool:
    """Whether the receipt verifies without the door, and the door has nothing left of the record."""
    stage.say("The receipt is signed: anybody can check it without the door, and the door can be checked against it.")
    receipt = str(stage.folder / RECEIPT)
    verified = stage.run("doorctl", "receipt", "verify", receipt, "--consent", str(stage.folder / CONSENT))
    audited = stage.run("doorctl", "audit", "--receipt", receipt)
    print(f"    verified: {verified['ok']}; nothing of it is left on the door: {audited['ok']}")
    return bool(verified["ok"] and audited["ok"])


def story(stage: Stage) -> dict[str, Any]:
    """The whole of it; what was seen, by name."""
    move_in(stage)
    seen: dict[str, Any] = {"simulated": True, "tier": "face"}
    seen["enrolled"] = enrol(stage) == "done"
    stage.say("The resident comes home. The camera sees a picture that was not enrolled, and how it answers lights.")
    seen["opened_by_face"] = comes_home(stage, portrait("obama3.jpg", NEARER))
    seen |= times_ms(stage) if seen["opened_by_face"] else {"frame_to_decision_ms": None, "press_to_open_ms": None}
    stage.say("A stranger presses the button and looks, as often as the window allows.")
    opened, heard = look(stage, portrait("biden.jpg"))
    seen["stranger_refused"] = not opened and heard == "REFUSED"
    stage.say("The stranger holds up the resident's picture: printed, on a telephone, and fed in behind the lens.")
    seen["print_refused"] = refused(stage, "print")
    seen["screen_refused"] = refused(stage, "screen")
    seen["injected_video_refused"] = refused(stage, "video")
    stage.say("The same door opens by PIN, and not by a wrong one.")
    seen["opened_by_pin"], _ = act(stage, "keys", f"{SLOT}#{PIN}#")
    opened, heard = act(stage, "keys", f"{SLOT}#482914#")
    seen["wrong_pin_refused"] = not opened and heard == "REFUSED"
    seen["opened_by_card"], seen["cloned_card_refused"] = card(stage)
    seen["guest_code_once"] = guest(stage)
    seen["camera_closed_when_idle"] = idle(stage)
    stage.say("eye and vault are stopped. Whoever uses a PIN does not notice.")
    stage.run("doorsim", "stop", "eye")
    stage.run("doorsim", "stop", "vault")
    seen["pin_opens_without_face_processes"], _ = act(stage, "keys", f"{SLOT}#{PIN}#")
    stage.run("doorsim", "start", "eye")
    stage.run("doorsim", "start", "vault")
    stage.door.wait(lambda now: set(now["processes"].values()) == {"up"}, 20)
    seen["opened_after_rekey"] = rekeyed(stage)
    seen["erased"] = erase(stage) == "done"
    seen["receipt_holds"] = receipt_holds(stage)
    opened, heard = look(stage, portrait("obama3.jpg", NEARER))
    seen["erased_face_refused"] = not opened and heard in ("REFUSED", "USE_PIN_OR_CARD")
    seen.update(left_the_device(stage))
    seen["processes"] = {str(room): stage.door.state()["processes"][room] for room in Room if room != Room.DOORCTL}
    return seen


def left_the_device(stage: Stage) -> dict[str, Any]:
    """Every byte that a subscriber at the broker saw leave the door."""
    seen = stage.witness.wait_for(lambda all_seen: sum(s.topic.endswith("/report") for s in all_seen) > 1, 15)
    stage.say(f"Everything that left the device, as the broker saw it ({CADENCE_S:g} s cadence here, 15 minutes else):")
    for one in seen:
        print(f"    {one.topic}  {len(one.payload)} bytes\n      {one.payload.decode('utf-8', 'backslashreplace')!r}")
    sizes = {len(one.payload) for one in seen if one.topic.endswith("/report")}
    return {
        "broker_messages": len(seen),
        "bytes_left_device": sum(len(one.payload) for one in seen),
        "report_sizes": sorted(sizes),
        "pin_left_device": any(PIN.encode() in one.payload for one in seen),
    }


EXPECTED = (
    "enrolled", "opened_by_face", "stranger_refused", "print_refused", "screen_refused",
    "injected_video_refused", "opened_by_pin", "wrong_pin_refused", "opened_by_card",
    "cloned_card_refused", "guest_code_once", "camera_closed_when_idle",
    "pin_opens_without_face_processes", "opened_after_rekey", "erased", "receipt_holds", "erased_face_refused",
)  # fmt: skip


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the story by way of every `finally`, as Ctrl-C does."""

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main(words: Sequence[str] = ()) -> int:
    """Tell the story; 0 if all of it came true. Or open the showroom, where somebody would rather try it.

    `words`: what was typed behind the command; there is nothing to choose but by DEMO.
    """
    if words:
        asked = words[0] in {"-h", "--help"}
        print(USAGE, file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    try:
        if in_browser(os.environ, person=sys.stdin.isatty() and sys.stdout.isatty(), ask=input):
            show_room.main([], standalone_mode=False)
            return 0
        with _ended_in_order(), stage() as here:
            seen = story(here)
    except KeyboardInterrupt:
        print("\ndemo stopped; the door, the broker and their folder are gone", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would try once more, and complain
        return 1
    except (Refusal, Fault, RuntimeError, OSError) as failed:
        print(f"demo: {failed}", file=sys.stderr)
        return 1
    print()
    print(json.dumps(seen))
    return 0 if all(seen[name] is True for name in EXPECTED) and not seen["pin_left_device"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
