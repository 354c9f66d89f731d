"""The health of the door, folded from what lock says, and from what report sees of itself.

Rules kept here:
- Pure: a state and an occurrence in, a state out.
- A part is well until lock says otherwise. After STARTED lock tells everything that stands, so it begins anew there;
  after ALARM_CLEARED it tells the alarms that still stand.
- A door held open is told at once, and by no report of a BUILDING: the flag would say of an alarm before it that it was
  none of the tests (`alarm_tests`), and so that somebody is there.
- While lock is away the last word stands, and `lock` false says how much it is worth. A number of the day is dropped:
  lock tells it again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from device.wire import OccurrenceKind, Profile

ALARMS = frozenset(
    {
        OccurrenceKind.FORCED_OPEN,
        OccurrenceKind.HELD_OPEN,
        OccurrenceKind.TAMPER,
        OccurrenceKind.BREACH,
        OccurrenceKind.BOLT_FAULT,
    }
)
"""What is told at once. Everything else waits for the next report."""
_OF_PEOPLE = frozenset({OccurrenceKind.HELD_OPEN})
"""What follows from people who come and go. Of the others each needs somebody looked for at once, whoever it names."""


@dataclass(frozen=True, slots=True)
class Health:
    """How the door is. `camera` covers eye as well: without it there is no camera for anybody.

    `camera` and `lockout` change only when somebody is there, so a report of a BUILDING seals them (`seal`).

    `documents`: the newest one applied. `storage`: report's disk has room. `lockout`: somebody had to wait after wrong
    attempts, since the last report. `count`: the noisy number of the last full day. `certificate`: that of report's TLS
    is not about to end, or there is none to end. `retired`: the door has ended for good.
    """

    lock: bool = False
    camera: bool = True
    vault: bool = True
    keeper: bool = True
    alarms: frozenset[OccurrenceKind] = frozenset()
    documents: int = 0
    storage: bool = True
    lockout: bool = False
    count: int | None = None
    certificate: bool = True
    retired: bool = False

    @property
    def bolt(self) -> bool:
        """Whether the line to the strike can be driven."""
        return OccurrenceKind.BOLT_FAULT not in self.alarms


def heard(health: Health, kind: OccurrenceKind) -> Health:
    """The health after lock said `kind`."""
    if kind in ALARMS:
        return replace(health, alarms=health.alarms | {kind})
    match kind:
        case OccurrenceKind.STARTED:
            return replace(health, camera=True, vault=True, keeper=True, alarms=frozenset(), retired=False)
        case OccurrenceKind.ALARM_CLEARED:
            return replace(health, alarms=frozenset())
        case OccurrenceKind.CAMERA_FAULT | OccurrenceKind.CAMERA_WELL:
            return replace(health, camera=kind is OccurrenceKind.CAMERA_WELL)
        case OccurrenceKind.VAULT_GONE | OccurrenceKind.VAULT_BACK:
            return replace(health, vault=kind is OccurrenceKind.VAULT_BACK)
        case OccurrenceKind.KEEPER_GONE | OccurrenceKind.KEEPER_BACK:
            return replace(health, keeper=kind is OccurrenceKind.KEEPER_BACK)
        case OccurrenceKind.LOCKOUT:
            return replace(health, lockout=True)
        case OccurrenceKind.RETIRED:
            return replace(health, retired=True)
    return health


def lock_is(health: Health, *, present: bool) -> Health:
    """The health after lock connected or went away."""
    return replace(health, lock=present, count=health.count if present else None)


def told(health: Health, profile: Profile) -> Health:
    """What a report says of `health` under `profile`: live at HOME, and without what people do in a BUILDING."""
    if profile is Profile.HOME or not health.alarms & _OF_PEOPLE:
        return health
    return replace(health, alarms=health.alarms - _OF_PEOPLE)
