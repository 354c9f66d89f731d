"""`make bench`: how fast and how small the door is on this machine, as ratios.

Each section is a module of its own; docs/benchmarks.md says what the figures mean. It measures and reports, it judges
nobody's change: the exit code is 0 whatever the figures are.
"""
