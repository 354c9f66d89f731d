"""The desk put together: its loop, and beside it the residents' page where there is one.

Rules kept here:
- A door without a page has no thread and no library of one.
- The loop watches the crossing between the two, and nothing else of the page's.
"""

from __future__ import annotations

from device.desk.loop import Desk
from device.service import Service


def desk(service: Service) -> Desk:
    """The work of Room.DESK for `service`. Raises NotPermitted for a socket of another kind."""
    from device.desk.page.server import serving

    served = serving(service)
    if served is None:
        return Desk(service)
    work = Desk(service, served=served, always=served.page.always)
    if work.page:
        service.watch(work.page.crossing.fileno(), work.page.crossing.collect)
    return work
