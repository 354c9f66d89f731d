"""keeper checks: PINs, invitations and guests' codes, all behind one counter of attempts.

Rules kept here:
- keeper is ready first and works while every other room but lock is dead: no arrays, no devices, no network, no camera.
- Its key, its ring and its files are its own; erasing or rekeying faces never touches them.
- Nothing but `attempt` has digits looked at, and only after the attempt was charged on the disk.
- Why something was refused is told to nobody: a wrong PIN, an unknown slot, a delay and a full line look alike.

From the pure to the process: `choice` (which PINs may be set), `throttle` (who may guess), `record` and `offers` (what
a slot holds), `ends` (when that is over), `pin` (stretching and comparing), `match` (what digits turn out to be),
`changes` (what may be set by them), `attempts` and `book` (the disk), `line`
and `worker` (one check at a time), `attempt` (charge, check, settle), `tenancies` (what vault hears, and what is
destroyed at the end), `loop` (messages), `start` (all of it put together).
"""
