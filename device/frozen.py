"""`@dataclass(frozen=True, slots=True)` for classes of which a room has many: the same, without compiling anything.

The library writes six functions for each such class and compiles them, in every process, at every start. For the
messages of this door, some eighty classes that every room loads, that took 0.03 s of a PC's processor of the 0.2 s that
a room takes to load, and 0.03 of the 0.09 s before a `doorctl` asks; a door after a power cut waits for it.
An object takes about twice as long to make as the library's, a few microseconds: for messages that is little.

Rules kept here:
- What comes out is a dataclass and behaves as the library's does: `fields`, `replace`, `match`, comparison, hash, repr
  without what is `repr=False`, copies, pickles, FrozenInstanceError. The tests hold both beside each other.
- What is not needed is refused as the module is loaded, not done otherwise: `kw_only`, `init=False`, InitVar, and a
  frozen class of the library's above or below one of these (that is the library's own refusal).
- For whoever checks types it is the library's decorator.
"""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, fields
from dataclasses import dataclass as _dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    from collections.abc import Callable
    from inspect import get_annotations  # the library has loaded it
    from typing import Any

    def dataclass(*, frozen: bool, slots: bool) -> Callable[[type], type]:
        """Make the class below a frozen dataclass with slots. Raises TypeError for what is not done here."""
        if not (frozen and slots):
            msg = "device.frozen makes frozen classes with slots alone"
            raise TypeError(msg)
        return _made

    def _made(plain: type) -> type:
        if any("InitVar" in str(kind) for kind in get_annotations(plain).values()):
            msg = f"{plain.__name__}: an InitVar is left to the library's dataclass"
            raise TypeError(msg)
        cls = _dataclass(init=False, repr=False, eq=False, slots=True)(plain)
        for name, function in (
            ("__init__", _init(cls)),
            ("__repr__", _repr([each.name for each in fields(cls) if each.repr])),
            *_compared([each.name for each in fields(cls) if each.compare]),
            ("__setattr__", _refuses_to_set),
            ("__delattr__", _refuses_to_delete),
            ("__getstate__", _state),
            ("__setstate__", _set_state),
        ):
            if name not in plain.__dict__:
                setattr(cls, name, function)
        return cls

    def _init(cls: type) -> Callable[..., None]:
        each = fields(cls)
        if any(field.kw_only or not field.init or field.hash is not None for field in each):
            msg = f"{cls.__name__}: kw_only, init=False and hash= are left to the library's dataclass"
            raise TypeError(msg)
        setters = [getattr(cls, field.name).__set__ for field in each]  # of the slots: the class itself is frozen
        count, checks, completed = len(each), hasattr(cls, "__post_init__"), _completed(cls)

        def __init__(self: Any, /, *given: Any, **named: Any) -> None:  # noqa: N807  it is the class's own
            if named or len(given) != count:
                given = completed(given, named)
            for put, value in zip(setters, given, strict=True):
                put(self, value)
            if checks:
                self.__post_init__()

        return __init__

    def _completed(cls: type) -> Callable[[tuple[Any, ...], dict[str, Any]], list[Any]]:
        """Every field's value, from what was given in order, by name, and not at all."""
        names = [field.name for field in fields(cls)]
        defaults = {field.name: field.default for field in fields(cls) if field.default is not MISSING}
        made = {field.name: field.default_factory for field in fields(cls) if field.default_factory is not MISSING}

        def completed(given: tuple[Any, ...], named: dict[str, Any]) -> list[Any]:
            values = list(given)
            for name in names[len(given) :]:
                if name in named:
                    values.append(named.pop(name))
                elif name in defaults:
                    values.append(defaults[name])
                elif name in made:
                    values.append(made[name]())
                else:
                    msg = f"{cls.__name__} misses a value for {name!r}"
                    raise TypeError(msg)
            if named or len(given) > len(names):
                odd = ", ".join(map(repr, named)) or f"{len(given)} values for {len(names)} fields"
                msg = f"{cls.__name__} was given too much: {odd}"
                raise TypeError(msg)
            return values

        return completed

    def _repr(names: list[str]) -> Callable[[Any], str]:
        def __repr__(self: Any) -> str:  # noqa: N807
            return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

        return __repr__

    def _compared(names: list[str]) -> tuple[tuple[str, Callable[..., Any]], ...]:
        if len(names) > 1:
            values = attrgetter(*names)
        else:  # one name alone would give the value itself

            def values(self: Any) -> tuple[Any, ...]:
                return tuple(getattr(self, name) for name in names)

        def __eq__(self: Any, other: object) -> bool:  # noqa: N807
            if other.__class__ is not self.__class__:
                return NotImplemented
            return values(self) == values(other)

        def __hash__(self: Any) -> int:  # noqa: N807
            return hash(values(self))

        return ("__eq__", __eq__), ("__hash__", __hash__)

    def _refuses_to_set(_self: Any, name: str, _value: Any) -> None:
        msg = f"cannot assign to field {name!r}"
        raise FrozenInstanceError(msg)

    def _refuses_to_delete(_self: Any, name: str) -> None:
        msg = f"cannot delete field {name!r}"
        raise FrozenInstanceError(msg)

    def _state(self: Any) -> list[Any]:
        return [getattr(self, field.name) for field in fields(self)]

    def _set_state(self: Any, state: list[Any]) -> None:
        for field, value in zip(fields(self), state, strict=True):
            object.__setattr__(self, field.name, value)
