"""The one way in which the page takes a form.

Rules kept here:
- A form counts if it has the token of this very sitting, and each of its fields once. Everything else is refused as not
  having come from the page.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request

from device.desk.page.view import View

_MOST_FIELDS = 8


async def read(view: View, request: Request) -> dict[str, str]:
    """The form's fields. Raises HTTPException 403 if it is none that this sitting was given."""
    form = await request.form(max_fields=_MOST_FIELDS, max_files=0)
    fields = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    if len(fields) != len(form.multi_items()) or not view.site.fits(
        fields.get("token", ""), "form", view.sitting(request)
    ):
        raise HTTPException(403)
    return fields
