"""Locks with one guard taken out: random lives must find every one of them.

Rules kept here:
- Every guard that is known stands in one of the four lists, by what it guards; a name stands there once.
"""

from __future__ import annotations

from tools.endurance.fault import Fault
from tools.endurance.faults_answers import ANSWERS
from tools.endurance.faults_bolt import BOLT
from tools.endurance.faults_lights import LIGHTS
from tools.endurance.faults_sight import SIGHT

__all__ = ["FAULTS", "Fault"]

FAULTS: tuple[Fault, ...] = (*ANSWERS, *SIGHT, *BOLT, *LIGHTS)
