"""For whoever looks after a door: how it stands, what its manager sent, whether its parts are well, new keys.

Rules kept here:
- Nothing here is a personal act: no face is enrolled, erased or paused.
"""
