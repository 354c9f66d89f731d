"""`doorctl audit`: what whoever looks after a door, or a resident beside them, can check with their own eyes.

Rules kept here:
- It looks at the files and at what vault says, and shares no code with the rooms that write them: what counts as a ring
  or a record is written down here a second time.
- It opens nothing: no key is read, nothing is written, no record is unsealed. The trial of the walls (`walls`) tries to
  open what is another room's, from the place of each room, and closes unread what opens.
- What it cannot show it says.
"""
