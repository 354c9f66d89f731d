"""`doorctl audit --network`: listen to a door's network for a while, and say where its packets went.

Rules kept here:
- It listens and never sends, but for the names it looks up before it begins.
- What is permitted is computed from door.toml and the board's own set-up of names and time, never from what was heard.
- What cannot be read is named as unreadable and counts as not permitted; what cannot be seen at all is said.
"""
