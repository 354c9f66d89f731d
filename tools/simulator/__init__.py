"""doorsim: the six real processes on simulated hardware, driven from outside.

`world` is the hardware (lines, contacts, lamps), `scene` what stands before the camera and in which light, `held_up`
how a picture becomes somebody or something that is held up, `init` the part of systemd that starts and supervises,
`daemon` the process that holds all of it, `client` and `cli` how people and tests drive it. Nothing here decides
anything about the door; what it shows is simulated and says so.
"""
