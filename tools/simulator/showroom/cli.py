"""`doorsim show-room`: a simulated door on a page of this machine's own browser.

Rules kept here:
- Exit 0: it was ended; 1: refused, the reason in one sentence; 2: wrong usage.
- `--json` prints one object when the showroom is open, and nothing else on stdout.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import webbrowser
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from device.errors import Fault, Refusal

if TYPE_CHECKING:
    from tools.simulator.showroom.serving import Open


def has_display(environ: Mapping[str, str]) -> bool:
    """Whether a browser could show itself here."""
    return any(environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


@click.command("show-room")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="On 127.0.0.1; default: any free one.")
@click.option(
    "--tier",
    type=click.Choice(["face", "face+pin"]),
    default="face",
    show_default=True,
    help='"face" lets a face alone open, as no real door does before attacks were tried on it.',
)
@click.option("--wiring", type=click.Choice(["fail-secure", "fail-safe"]), default="fail-secure", show_default=True)
@click.option(
    "--cadence-s", type=click.FloatRange(1, 900), default=5.0, show_default=True, help="Between reports; a door: 900."
)
@click.option("--drawn", is_flag=True, help="Show a drawn figure in place of the sample portraits.")
@click.option("--open/--no-open", "browse", default=None, help="Open a browser. Default: where there is a display.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object when it is open.")
def show_room(
    *, port: int, tier: str, wiring: str, cadence_s: float, drawn: bool, browse: bool | None, as_json: bool
) -> None:
    """Try a simulated door on a page of this machine's browser: press, look, cheat, and see every byte that leaves.

    It makes a door, its manager's fleet and a broker in a temporary folder, and takes them away when it is ended
    (Ctrl-C). Only this machine can reach the page.

    \b
    Example: doorsim show-room
             doorsim show-room --port 8765 --no-open
    """
    open_it = has_display(os.environ) if browse is None else browse

    def opened(where: Open) -> None:
        if as_json:
            print(
                json.dumps({"url": where.url, "root": where.root, "simulated": True}), file=sys.__stdout__, flush=True
            )
        else:
            click.echo(f"\nThe showroom is open: {where.url}\nCtrl-C ends it. The same door from another terminal:")
            click.echo(f"    doorsim state --root {where.root}")
        if open_it:
            webbrowser.open(where.url)

    try:
        from tools.simulator.showroom.house import Wishes
        from tools.simulator.showroom.serving import serve

        with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
            serve(Wishes(tier, wiring, cadence_s), port, drawn=drawn, opened=opened)
    except KeyboardInterrupt:
        click.echo("\nThe showroom is closed; door, broker and folder are gone.", err=True)
    except ImportError as missing:
        _refused(
            f"the showroom needs a developer's set-up ({missing.name} is not installed): `make setup`", as_json=as_json
        )
    except (Refusal, Fault, OSError, RuntimeError) as refused:
        _refused(str(refused), as_json=as_json)


def _refused(sentence: str, *, as_json: bool) -> None:
    click.echo(json.dumps({"refused": sentence}) if as_json else f"doorsim: {sentence}", err=not as_json)
    sys.exit(1)
