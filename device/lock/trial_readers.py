"""`python -m device.lock.trial_readers`: a card reader or an OSDP reader, tried by hand. For `doorctl setup`.

Rules kept here:
- The readers' code is the door's own, with what door.toml says of them; it comes on standard input.
- Of a card it is told that one came. Nothing is said to it, not even its number is asked for. Of keys it is told
  whether one was a 5: what else somebody types is nobody's business.
- The OSDP reader's key is opened for this process alone, by systemd, which sealed it. It stands in no argument, no
  file and no answer. Without it there is no trial, for a reader is never used without its channel.
- It ends by itself, after _LONGEST_S at most, and gives the reader back.

    card SECONDS     {"seen": true, "well": true} as soon as a card is there, {"seen": false, ...} if none comes
    osdp SECONDS     {"seen": true, "well": true} as soon as somebody presses 5 on it

"well" is false where the reader is not there, or not as it should be.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from device import config as door_config
from device.config.tables import LockTable
from device.errors import Fault, KeyFault, Refusal
from device.lock.parts import Part
from device.lock.state import CardCame, Event, Key
from device.paths import Paths, door_paths

SYSTEMD_CREDS = "/usr/bin/systemd-creds"
_LONGEST_S = 120.0
_LOOK_S = 0.2
_OPENS_WITHIN_S = 20.0  # a TPM takes about a second

Opens = Callable[[Path], bytes]
"""The content of a sealed credential. Raises KeyFault."""


def watch(
    part: Part, wanted: Callable[[Event], bool], wait_s: float, clock: Callable[[], float] = time.monotonic
) -> dict[str, object]:
    """Whether `part` tells something that is `wanted` within `wait_s`, and whether it is well. It is given back."""
    ends = clock() + min(wait_s, _LONGEST_S)
    seen = False
    try:
        while not seen and (now := clock()) < ends:
            seen = any(wanted(event) for event in part.events(now))
            fd = part.fileno()
            if not seen:
                select.select([] if fd is None else [fd], [], [], max(0.0, min(_LOOK_S, ends - now)))
        part.card(None)  # a card that is there is let go unasked
        return {"seen": seen, "well": part.well}
    finally:
        part.close()


def card(table: LockTable, wait_s: float) -> dict[str, object]:
    """Wait for a card at the PC/SC reader."""
    from device.lock.pcsc_calls import Pcsc
    from device.lock.reader_pcsc import PcscReader

    return watch(PcscReader(table.card_reader, Pcsc()), lambda event: isinstance(event, CardCame), wait_s)


def osdp(table: LockTable, wait_s: float, paths: Paths, opens: Opens) -> dict[str, object]:
    """Wait for a 5 on the OSDP reader. Raises KeyFault."""
    from device.lock.osdp_supervisor import Where
    from device.lock.reader_osdp import KEY_NAME, OsdpReader, checked_key

    place = paths.root / "etc/credstore.encrypted" / KEY_NAME
    if not place.exists():
        msg = f"the OSDP reader's key {KEY_NAME} is not sealed yet, and without it nothing is said to a reader"
        raise KeyFault(msg)
    key = checked_key(opens(place))
    where = Where(table.osdp, table.osdp_baud, table.osdp_address)
    return watch(OsdpReader(where, key, table.unlock_ms), lambda event: event == Key("5"), wait_s)


def by_systemd(place: Path) -> bytes:
    """`Opens` by systemd-creds, for root."""
    words = [SYSTEMD_CREDS, "decrypt", f"--name={place.name}", "--newline=no", str(place), "-"]
    try:
        ended = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=_OPENS_WITHIN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as cause:
        msg = f"systemd-creds does not open the key {place.name}"
        raise KeyFault(msg) from cause
    if ended.returncode != 0:
        msg = f"the key {place.name} does not open here; was it sealed on another machine?"
        raise KeyFault(msg)
    return ended.stdout


def run(words: Sequence[str], toml: str, paths: Paths, opens: Opens = by_systemd) -> int:
    """Answer one question on standard output; the exit code."""
    answer: dict[str, object]
    try:
        table = door_config.parse(toml, without_id=True).lock
        match words:
            case ["card", seconds] if table.card_reader:
                answer = card(table, float(seconds))
            case ["osdp", seconds] if table.osdp:
                answer = osdp(table, float(seconds), paths, opens)
            case _:
                answer = {"refused": "this is asked with card SECONDS or osdp SECONDS, and a door.toml that names one"}
    except (Refusal, Fault) as error:
        answer = {"refused": str(error)}
    except Exception as error:  # noqa: BLE001 - a missing library or a device that fails: said, and never a traceback
        answer = {"refused": f"the reader cannot be tried: {error!r}"}
    sys.stdout.write(json.dumps(answer) + "\n")
    return 1 if "refused" in answer else 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], sys.stdin.read(), door_paths()))
