"""`doorctl page`: where the resident's page is called, under which certificate, and a QR code for the door.

Rules kept here:
- The address is that of door.toml. Without a name or an address there is none that could be printed.
- The fingerprint is read from the certificate that desk made; nothing is made here.
- The file for the code has to be new.
"""

from __future__ import annotations

import io
from pathlib import Path

import click

from device import config
from device.desk.answers import Answer, answering
from device.desk.page import certificate
from device.desk.papers.files import NewPaper
from device.edges import Room
from device.errors import ConfigRefused
from device.paths import door_paths

NONE = "This door has no page: door.toml has no [page] with a port (docs/page.md)."
_NAMELESS = (
    '[page] has neither a name nor an address, so nobody can be told where the page is; give it one, such as name = "'
    'door.local"'
)


@click.command()
@click.option(
    "--qr", "drawn", type=click.Path(dir_okay=False, path_type=Path), help="A new file (.svg) for the code at the door."
)
@answering
def page(*, drawn: Path | None) -> Answer:
    """Say where residents find the page of this door, and how they know that it is this door's.

    \b
    Example: doorctl page --qr page.svg
    """
    paths = door_paths()
    door = config.load(paths.config, without_id=True)
    if not door.page.served:
        return Answer(NONE, {"page": False}, ok=False)
    where = door.page.url
    found = certificate.read(certificate.file_of(paths.state(Room.DESK)))
    print_ = certificate.fingerprint(found) if found else ""
    ends = f"{found.not_valid_after_utc:%Y-%m-%d}" if found else ""
    lines = [
        f"page         {where or 'no name and no address in door.toml'}",
        f"open         {'always' if door.page.always else 'for ten minutes after 012 # at the keypad'}",
        f"fingerprint  {print_ or 'no certificate yet: desk makes it when it starts with a page'}",
        *([f"until        {ends}; desk makes another one before"] if ends else []),
        "A browser warns about this certificate. Whose browser shows the same fingerprint (SHA-256) is at this door.",
    ]
    if door.lock.board == "sim":
        lines.append("This door is a simulated one: `doorsim state` tells the port on this machine.")
    if drawn is not None:
        _draw(where, drawn)
        lines.append(f"The code is in {drawn}: hang it beside the keypad, with 012 # below it.")
    facts: dict[str, object] = {"page": True, "url": where, "always": door.page.always, "fingerprint": print_}
    return Answer("\n".join(lines), facts)


def _draw(where: str, path: Path) -> None:
    import segno

    if not where:
        raise ConfigRefused(_NAMELESS)
    if path.suffix.lower() != ".svg":
        msg = f"the code is drawn as SVG, and {path.name} does not end in .svg"
        raise ConfigRefused(msg)
    drawing = io.BytesIO()
    segno.make(where, error="m", micro=False).save(drawing, kind="svg", scale=4, border=4, light="#fff")
    with NewPaper.make(path) as file:
        file.fill(drawing.getvalue().decode("utf-8"))
