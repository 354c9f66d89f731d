"""Somebody in a picture: a head put where the photograph's face is, so that light falls on it as on a solid one.

Rules kept here:
- The photograph says what colour each pixel is and where five points are; how deep the face is says the head alone.
- Distance follows from the eyes: so many pixels apart, so many millimetres in that head.
- A photograph was taken from farther away than a door sees: where the head is fitted to it, rays are parallel.
- What the five points leave over is bent in softly around them and fades out within a face's width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tools.attack_lab.head import Head, Reals, sampled
from tools.attack_lab.surfaces import Lens, Mask, Surface, turned, wall

_STEPS: Final = 12  # of the search along a ray: steep places of a nose take most of them
_MET_MM: Final = 1.5
_SOFTNESS: Final = 0.6  # eye distances
_EDGE: Final = 0.97  # of the face's half width: beyond, it is seen edge-on and belongs to ears and hair
_SHOULDERS_MM: Final = 215.0
_NECK_MM: Final = 62.0
_BODY_BACK_MM: Final = 95.0  # neck and shoulders stand behind the front of the face
_MOST_TURNED: Final = 0.6  # sine of the yaw: no photograph whose five points are found shows more
_NEAR: Final = 2.4  # eye distances from the middle of the eyes within which all of a face lies


@dataclass(frozen=True, eq=False)
class Person:
    """Somebody before the lens. `face` and `body` (hair, neck, shoulders) hide nothing of each other.

    `distance_mm` is that of the eyes; `eye_px` their distance in the picture; `middle_px` the point between them.
    `rays` are those of the lens; `pose` (3, 3) and `origin_mm` (3,) say where `head` has its axes.
    """

    face: Surface
    distance_mm: float
    eye_px: float
    middle_px: complex
    head: Head
    rays: Reals
    pose: Reals
    origin_mm: Reals

    @cached_property
    def body(self) -> Surface:
        """Hair, neck and shoulders; they do not follow a small turn of the head."""
        return _body(self.rays, self.head, self.pose, self.origin_mm)

    @property
    def surface(self) -> Surface:
        """All of the person."""
        return self.face.before(self.body)

    def hallway(self, lens: Lens, behind_mm: float) -> Surface:
        """The wall that far behind the eyes."""
        return wall(lens, self.distance_mm + behind_mm)


def stand(lens: Lens, points: npt.NDArray[Any], head: Head, yaw_deg: float = 0.0, pitch_deg: float = 0.0) -> Person:
    """The person whose five points (eyes, nose, mouth corners as seen) are at `points`, (5, 2), pixels.

    `yaw_deg` and `pitch_deg` turn the head beyond what the photograph shows, without moving the points.
    """
    found = points[:, 0] + 1j * points[:, 1]
    across = complex(found[1] - found[0])
    middle = complex(found[0] + found[1]) / 2
    marks = head.landmarks_mm
    eyes_out = float(marks[:2, 2].mean())
    # The nose stands out of the plane of the eyes, so a turn shifts it sideways by its sine.
    beside_mm = ((complex(found[2]) - middle) / across).real * head.measures.eyes_mm
    turn = math.asin(max(-_MOST_TURNED, min(_MOST_TURNED, -beside_mm / (float(marks[2, 2]) - eyes_out))))
    px_per_mm = abs(across) / (head.measures.eyes_mm * math.cos(turn))
    distance = lens.focal_px / px_per_mm
    pose = turned(math.degrees(turn), 0.0, math.degrees(math.atan2(across.imag, across.real)))
    shown = (marks * np.array([1.0, 1.0, -1.0]) + np.array([0.0, 0.0, eyes_out])) @ pose.T
    model = np.array([middle.real, middle.imag]) + px_per_mm * shown[:, :2]
    y, x = np.mgrid[0 : lens.height_px, 0 : lens.width_px]
    near = (np.abs(x - middle.real) < _NEAR * abs(across)) & (np.abs(y - middle.imag) < _NEAR * abs(across))
    at: npt.NDArray[np.complex128] = np.asarray(x + 1j * y, np.complex128)[near]
    bent_px = at + _left_over(points, model, at) - middle
    met = _met(np.stack([bent_px.real, bent_px.imag], axis=-1) / px_per_mm, head, pose, eyes_out)
    face = Surface(np.zeros(near.shape), np.zeros((*near.shape, 3)), np.zeros(near.shape, bool))
    face.depth_mm[near], face.there[near] = met.depth_mm + distance, met.there
    face.normals[near] = met.normals @ (pose @ turned(yaw_deg, pitch_deg)).T
    origin = lens.ray(middle.real, middle.imag) * distance + pose[:, 2] * eyes_out
    return Person(face, distance, abs(across), middle, head, lens.rays(), pose, origin)


def _left_over(points: npt.NDArray[Any], model: Reals, at: npt.NDArray[np.complex128]) -> npt.NDArray[np.complex128]:
    """(N,): how far, in pixels, the place of the pixels `at` is bent so that the picture's points meet the head's."""
    found = points[:, 0] + 1j * points[:, 1]
    reach = _SOFTNESS * abs(found[1] - found[0])

    def near(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> Reals:
        result: Reals = np.exp(-((np.abs(a - b) / reach) ** 2))
        return result

    apart = model - points
    weights = np.linalg.solve(near(found[:, None], found[None, :]), apart[:, 0] + 1j * apart[:, 1])
    return np.asarray(near(at[:, None], found) @ weights, np.complex128)


def _met(beside_mm: Reals, head: Head, pose: Reals, eyes_out: float) -> Surface:
    """Where parallel rays `beside_mm` (N, 2) of the middle of the eyes meet the head; normals in its own axes.

    Each ray is followed until the height under it is its own; depths are from the plane of the eyes.
    """
    start = np.column_stack([beside_mm, np.zeros(len(beside_mm))]) @ pose
    start[:, 2] -= eyes_out
    towards = pose[2]  # the picture's axis as the head sees it
    depth = np.zeros(len(start))
    x = y = depth
    for _ in range(_STEPS):
        x, y = start[:, 0] + depth * towards[0], start[:, 1] + depth * towards[1]
        depth = 0.2 * depth + 0.8 * (-sampled(head.heights, x, y) - start[:, 2]) / towards[2]
    error = np.abs(start[:, 2] + depth * towards[2] + sampled(head.heights, x, y))
    inside = (np.abs(x) < _EDGE * head.half_width(y)) & (y < head.chin_mm + 4) & (y > -84.0) & (error < _MET_MM)
    right, down = (sampled(each, x, y) for each in head.slopes)
    normals = np.stack([-right, -down, -np.ones_like(right)], axis=-1)
    return Surface(depth, _unit(normals), inside)


def _body(rays: Reals, head: Head, pose: Reals, origin: Reals) -> Surface:
    """Hair as an ellipsoid around the head, neck and shoulders as an upright cylinder."""
    towards, start = rays @ pose, -origin @ pose
    radii = np.array([head.measures.cheekbones_mm * 0.52 + 12, 135.0, 100.0])
    centre = np.array([0.0, -5.0, 95.0])
    a, b = towards / radii, (start - centre) / radii
    squared, half = (a**2).sum(-1), a @ b
    inside = half**2 - squared * (float(b @ b) - 1)
    depth = (-half - np.sqrt(np.maximum(inside, 0))) / squared
    out = (start + depth[..., None] * towards - centre) / radii**2
    hair = Surface(depth, _unit(out) @ pose.T, (inside > 0) & (depth > 0))
    far = origin[2] + _BODY_BACK_MM
    x, y = rays[..., 0] * far - origin[0], rays[..., 1] * far - origin[1]
    slope = np.clip((y - head.chin_mm - 30) / 60, 0, 1)
    there = (y > 0.5 * head.chin_mm) & (np.abs(x) < _NECK_MM + (_SHOULDERS_MM - _NECK_MM) * slope)
    outward = np.stack([x / 260, np.zeros_like(x), -np.ones_like(x)], axis=-1)
    return hair.before(Surface(np.full(x.shape, float(far)), _unit(outward), there))


def _unit(vectors: Reals) -> Reals:
    result: Reals = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return result


def outline(person: Person) -> Mask:
    """Where the person is, as somebody with scissors would cut."""
    return person.face.there | person.body.there
