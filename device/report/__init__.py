"""report tells: the health of the door, to the broker, and nothing else.

It holds no face, template, PIN, card key or slot, and it is the only room that reaches further than the local network.
Read `teller` first (what is said, and when), then `outbox` (how nothing said is lost) and `mqtt` (how it leaves).
"""
