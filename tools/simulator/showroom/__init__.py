"""The showroom: a simulated door on a page of this machine's own browser, to press, to look into and to cheat.

Rules kept here:
- Nothing is played. The page drives the six real processes by the client that `doorsim` uses, shows what the simulated
  hardware says, and prints what a real broker handed to a subscriber.
- No frame of the camera is ever on the page: it shows what was held up, which is where it comes from.
- The page is for this machine alone (`guard`) and says that all of it is simulated.
"""
