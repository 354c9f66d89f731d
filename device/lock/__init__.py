"""lock acts: it owns the bolt, the lamp, the buttons and the keypad, and decides by a pure machine.

Read in this order: `state` (what there is), `machine` (what happens; `window`, `passage` and `alarms` are its parts),
`permits` (what may be said to it), `loop` (the process), `bolt` and `board_*` (the hardware behind ports). Nobody
connects to lock; it never sees an embedding.
"""
