"""`python -m tools.egress`: search a recording of a door's network for what must not be in it.

Rules kept here:
- Secrets are read from a file and never from the command line, where every process of the machine could read them.
- Nothing of a secret is printed, only its name and the form in which it was found.
- Exit code 1 if something was found, or went where nothing may go, or if the search could not tell.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import click
import numpy as np

from device import config
from device.desk.network import destinations as the_way
from device.desk.network import permitted
from device.desk.network.capture import Capture
from device.desk.network.packets import Packet
from device.errors import Fault, Refusal
from tools.egress import canaries, pcap, search, views
from tools.egress.canaries import Vector
from tools.egress.search import Sought

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--pcap", "recording", type=_FILE, help="A recording of tcpdump; without it, this machine is listened to."
)
@click.option("--seconds", type=click.FloatRange(0.1, 86400), default=60, show_default=True, help="How long to listen.")
@click.option("--door", "door_toml", type=_FILE, required=True, help="The door.toml that says where packets may go.")
@click.option(
    "--canaries",
    "secrets",
    type=_FILE,
    help='A JSON file {"digits": {NAME: "7391"}, "hex": {NAME: "00ff"}, "vectors": {NAME: [0.1, ...]}}.',
)
def main(*, recording: Path | None, seconds: float, door_toml: Path, secrets: Path | None) -> None:
    """Say where the packets of a recording went, and which canaries are in them.

    \b
    Example: sudo python -m tools.egress --door /etc/doorward/door.toml --canaries canaries.json --seconds 1000
    """
    try:
        broker = config.load(door_toml).report.broker
        sought = _sought(secrets)
        recorded = pcap.read(recording) if recording else _listened(seconds)
    except (Refusal, Fault) as cause:
        print(f"{str(cause)[:1].upper()}{str(cause)[1:]}.", file=sys.stderr)
        sys.exit(1)
    allowed = permitted.looked_up(permitted.permitted(broker, permitted.board_of()))
    if recording:
        recorded = pcap.going_out(recorded, allowed)
    way = the_way.destinations(recorded, allowed)
    found = search.search(views.views(recorded), sought)
    print("Permitted:", *allowed.lines, sep="\n  ")
    print("Went:", *(each.line for each in way.went), sep="\n  ")
    print("Names asked for:", ", ".join(map(ascii, way.names)) or "none")
    print(f"Searched {found.bytes_searched} bytes for {found.forms} forms; by chance {found.by_chance:.2g} hits.")
    limits = ", ".join(f"{bound:.3f} in {length}" for length, bound in found.bounds.numbers.items())
    print(f"Compared {found.bounds.comparisons} runs of numbers; what counts as alike: {limits}.")
    print("Found:", *(found.hits or ("nothing",)), sep="\n  ")
    sys.exit(0 if way.well and not found.hits and found.conclusive else 1)


def _listened(seconds: float) -> list[Packet]:
    with Capture() as capture:
        time.sleep(seconds)
    capture.check()
    return capture.packets


def _sought(path: Path | None) -> Sought:
    if path is None:
        return Sought(())
    try:
        told = json.loads(path.read_text())
        plain = [canaries.digits(name, text) for name, text in told.get("digits", {}).items()]
        plain += [canaries.secret(name, bytes.fromhex(text)) for name, text in told.get("hex", {}).items()]
        faces: dict[str, Vector] = {
            name: np.array(each, dtype=np.float32) for name, each in told.get("vectors", {}).items()
        }
        return Sought.of(plain, faces)
    except (OSError, ValueError, TypeError, AttributeError) as cause:
        # Not what json or fromhex say: that could be a part of a secret.
        msg = f"{path} is no file of canaries; --help shows how one looks"
        raise pcap.RecordingRefused(msg) from cause


if __name__ == "__main__":
    main()
