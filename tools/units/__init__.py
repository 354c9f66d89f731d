"""The units under systemd/, read and compared with the code that they start."""
