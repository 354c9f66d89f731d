"""Stands where picamera2 looks for the Raspberry Pi's own display library, which only its preview windows use."""

from __future__ import annotations


class _Nothing:
    """Whatever is asked of it is another of its kind."""

    def __getattr__(self, name: str) -> _Nothing:
        return _Nothing()

    def __call__(self, *_: object, **__: object) -> _Nothing:
        return _Nothing()


def __getattr__(name: str) -> _Nothing:
    if name.startswith("__"):
        raise AttributeError(name)
    return _Nothing()
