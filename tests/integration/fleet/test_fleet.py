"""A small share of the fleet against the real Mosquitto: what `python -m tools.fleet_sim` does with 10,000 doors."""

from dataclasses import replace

from tools.fleet_sim import show
from tools.fleet_sim.course import Plan, run

# A door's third wait may take 32 s (`device.report.broker`): later than a minute nothing may come.
SMALL = Plan(
    doors=200,
    workers=2,
    cadence_s=3.0,
    ramp_s=2.0,
    steady_s=1.0,
    away_s=1.0,
    after_s=4.0,
    drain_s=90.0,
    late_s=60.0,
    alarms_per_s=10.0,
    alone_s=2.0,
)


def test_no_report_and_no_alarm_is_lost_over_a_restart_and_the_storm_is_spread() -> None:
    """Over TLS, with nobody listening while the broker is stopped."""
    outcome = run(SMALL)
    assert outcome.faults == ()
    assert outcome.online == (200, 200)
    assert outcome.judgement.handed > 400
    assert outcome.full.resident_bytes > outcome.idle_bytes
    assert len(outcome.storm_tries()) >= 200
    assert "doors lose their broker" in show.picture(show.counted(outcome))


def test_seeded_faults_a_killed_broker_and_doors_without_jitter_are_told() -> None:
    """What waits for an absent manager survives a stop (above) and not a kill; waits of equal length are a storm."""
    outcome = run(replace(SMALL, tls=False, kill=True, jitter=False))
    assert outcome.judgement.lost
    assert not outcome.judgement.strange
    assert not outcome.judgement.late
    assert "the storm is not spread" in outcome.storm_fault
    assert len(outcome.faults) == 2
