"""`doorctl setup`: the first run of a door, or another look at its settings.

`cli` is the command, `running` whether it may run. `interview` asks, with the table of questions in `steps` (what the
machine has: `machine`), and makes a `draft`; `trials` tries the lines over the port `lines`; `writing` puts everything
on the disk at once; `sign` makes the sheet for people who pass by. What touches hardware is the rooms' own code, in
processes of their own (`neighbours`).
"""
