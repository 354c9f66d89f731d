"""The egress proof: record what leaves a door, and search it for what must not (docs/egress.md).

Rules kept here:
- What is searched is the wire, packet by packet and put together again; nothing the door says of itself is believed.
- Every way of looking is shown a leak that it must find (tests/integration/egress).
- A search says what it could not have found, and how often it would cry wolf.
"""
