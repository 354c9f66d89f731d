"""Rendered people and rendered attacks, before the eye that a door has: what its light challenge lets through.

Rules kept here:
- Everything is rendered, and every figure that comes out says so: it shows where the physics carries and where it ends,
  and never switches anything on at a real door (docs/liveness.md).
- Shapes, skin and instruments come from published measurements and from optics, not from the networks or the judge that
  are put to the test: those see pictures, as from a camera.
- Nothing is tuned here: what the judge refuses or lets through is counted as it comes.
- Pictures are read where they lie and live in memory; what is written are counts, and bases for the simulated camera.

Coordinates: millimetres from the lens, x right and y down in the picture, z away from the camera.
"""
