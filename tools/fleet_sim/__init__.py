"""A fleet of doors on one machine, against one real broker that goes away in the middle.

`python -m tools.fleet_sim --doors 10000` starts Mosquitto and as many doors as asked for, each made of report's own
parts, restarts the broker while they speak, and compares what the doors said with what somebody who listens has heard.
docs/scale.md has the figures, and what they mean for a fleet a hundred times as large.
"""
