"""`doorward watch`: answers doors that ask for their next certificate, and shows what comes in.

Rules kept here:
- What is shown is shown once and kept nowhere.
- The passphrase is asked for at the start and the authority's key is held in memory while it runs; --no-renew does
  without both, but for --revoked, which needs the key too.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provisioning import fleet as fleets
from provisioning import options
from provisioning.answers import Answer, answering
from provisioning.errors import FleetFault

if TYPE_CHECKING:
    from nacl.public import PrivateKey

    from provisioning.line import Line
    from provisioning.watching import Fact, Watch

_FILE = click.Path(dir_okay=False, path_type=Path)
_QUIET_S = 2.0
"""Without a word for this long, --once has heard what the broker kept."""
_AT_MOST_S = 60.0
_NOTICES_S = 86_400


@click.command("watch")
@options.fleet
@click.option("--once", is_flag=True, help="Answer what waits at the broker, and end.")
@click.option("--no-renew", "silent", is_flag=True, help="Only show; issue nothing, and ask for no passphrase.")
@click.option(
    "--alarm-key",
    "key_file",
    type=_FILE,
    help="What `doorward alarm key` made: shows why there is an alarm, which are tests, and what reports seal.",
)
@click.option("--revoked", "list_file", type=_FILE, help="Keep the list of revoked certificates in this file new.")
@answering
@options.access
def watch(
    *,
    folder: Path,
    store: str | None,
    access: options.Access,
    once: bool,
    silent: bool,
    key_file: Path | None,
    list_file: Path | None,
) -> Answer:
    """Answer the doors' questions for certificates, and show reports and alarms as they come. Ctrl-C ends it.

    A door of the profile building with an alarm key sends about 32 tests a day. Only with the key are they told from
    alarms, and only with it you hear if they stay away. The same key shows whether a building's camera works and
    somebody was locked out: reports seal that. Without one, a broken camera shows at the door alone: `doorctl status`.

    Nothing of a report is stored. With --json there is one object a line. The passphrase of the alarm key is taken from
    DOORWARD_ALARM_PASSPHRASE, or asked for. The list of --revoked is written at the start, when it changed (looked at
    once a day), and every 30 days; bringing it to the broker is up to you.

    \b
    Example: doorward watch --fleet ~/fleet --broker mqtts://broker.example --as ~/watch
    """
    from provisioning import authority, reporting, revocation
    from provisioning.line import Line
    from provisioning.renewing import Renewer
    from provisioning.watching import TOPICS, Watch

    fleet = fleets.open_fleet(folder, store)
    where, own = access.where, access.login
    issuer = None if silent and list_file is None else authority.opened(folder, options.passphrase())
    renewer = None if silent or issuer is None else Renewer(fleet, issuer)
    keeper = revocation.Keeper(fleet, issuer, list_file) if list_file is not None and issuer is not None else None
    key = _alarm_key(key_file, reporting.load_key) if key_file is not None else None
    as_json = bool(click.get_current_context().params["as_json"])
    seen = [0]

    def tell(fact: Fact) -> None:
        seen[0] += 1
        _show(fact, as_json=as_json)

    watching = Watch(fleet, tell, time.time, renewer, key, keeper)
    with Line(where.host, where.port, own, TOPICS) as line:
        line.open(patient=not once)
        watching.notices(authority.certificate(folder))
        _run(line, watching, lambda: watching.daily(lambda: authority.certificate(folder)), once=once)
    return Answer(lambda: None, {"news": seen[0]})


def _run(line: Line, watching: Watch, notices: Callable[[], None], *, once: bool) -> None:
    began = noticed = time.monotonic()
    while True:
        heard = line.next(_QUIET_S)
        reply = watching.take(heard) if heard is not None else None
        if reply is not None:
            try:
                line.say(*reply, expiry_s=options.WAITS_S)
            except FleetFault as trouble:  # the door asks again, and is answered the day after
                watching.tell({"event": "trouble", "why": str(trouble)})
        if once and (heard is None or time.monotonic() - began > _AT_MOST_S):
            return
        if time.monotonic() - noticed > _NOTICES_S:
            noticed = time.monotonic()
            notices()


def _alarm_key(path: Path, load: Callable[[Path, str], PrivateKey]) -> PrivateKey:
    given = os.environ.get("DOORWARD_ALARM_PASSPHRASE")
    return load(path, given if given is not None else _prompted())


def _prompted() -> str:
    said: str = click.prompt("Passphrase of the alarm key", hide_input=sys.stdin.isatty(), err=True)
    return said


def _show(fact: Fact, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"at_unix": int(time.time()), **fact}))
        return
    from provisioning.watching import in_words

    bad = fact["event"] in ("alarm", "no-test", "trouble", "lost", "offline") or fact.get("well") is False
    text = in_words(fact)
    click.echo(f"{time.strftime('%H:%M:%S')}  {click.style(text, fg='red', bold=True) if bad else text}")
