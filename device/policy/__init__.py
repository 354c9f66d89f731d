"""The policy of a door: which method opens in which hour. Pure; the door, its documents and the manager's side use it.

Rules kept here:
- A policy is about a door and its hours, never about a slot: no policy can hold a list of those who gave no face.
- Wherever a face opens, PIN and card open too (`prover`). What breaks this can be neither signed nor applied.
"""
