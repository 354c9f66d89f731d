"""How the door stands, for whoever looks after it: `DoorStatus`, and nothing of who came or went. Pure."""

from __future__ import annotations

from device import wire
from device.edges import Room
from device.lock.policy import Policy
from device.lock.state import Alarm, State
from device.wire import AlarmBits, CameraCondition

MOST_LEFT_S = 2**32 - 1
_BITS = {
    Alarm.FORCED_OPEN: AlarmBits.FORCED_OPEN,
    Alarm.HELD_OPEN: AlarmBits.HELD_OPEN,
    Alarm.TAMPER: AlarmBits.TAMPER,
    Alarm.BREACH: AlarmBits.BREACH,
    Alarm.BOLT_FAULT: AlarmBits.BOLT_FAULT,
}


def standing(state: State, policy: Policy) -> wire.DoorStatus:
    """What `AskStatus` is answered with."""
    return wire.DoorStatus(
        eye=Room.EYE in state.up,
        vault=Room.VAULT in state.up,
        keeper=Room.KEEPER in state.up,
        report=Room.REPORT in state.up,
        camera_well=state.camera is not CameraCondition.FAULT,
        alarms=sum(_BITS[alarm] for alarm in state.alarms),
        policy_version=policy.version,
        document_key=policy.key.public,
        ending=policy.retiring.ending,
        ends_in_s=min(policy.retiring.left_s, MOST_LEFT_S),
    )
