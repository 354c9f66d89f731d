"""`changed(state, window=None)`: lock's state with some fields changed; `dataclasses.replace`, and quicker.

Rules kept here:
- The same in all that can be seen: a new state, the old one as it was, and a field that there is not is refused.
- Types are checked as those of `dataclasses.replace` are: for mypy this is that function.

Why: it goes through each of some thirty fields in Python, three or four times on the way to the bolt, where everybody
slept until then: that was a sixth of what an unlock takes between the rooms (docs/benchmarks.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from device.lock.state import State

if TYPE_CHECKING:
    from dataclasses import replace as changed
else:

    def changed(state: State, /, **changes: object) -> State:
        """`state` with `changes`. Raises TypeError for a field that it has not."""
        fields = {**vars(state), **changes}
        if len(fields) != len(vars(state)):
            msg = f"lock's state has not all of the fields {', '.join(changes)}"
            raise TypeError(msg)
        made = object.__new__(State)
        object.__setattr__(made, "__dict__", fields)  # it is frozen, and has no slots
        return made


__all__ = ["changed"]
