"""How much work the networks are for a Raspberry Pi's or a Jetson's processor, counted where there is neither.

`python -m tools.arm64` says it whole: it fetches what it needs, counts, compares, and writes a log.
"""
