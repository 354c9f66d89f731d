"""The manager's side: a fleet of doors, the slots on them, and the signed documents that offer those slots.

Rules kept here:
- What is kept is about doors and places on their lists, never about people: no name, face, PIN, card, invitation, and
  nothing of who came home when.
- Of the door's code only the formats are used (`device.document`, `device.wire`, `device.errors`): this side can write
  what a door may read and reaches no room of it.
"""
