"""How a door joins: `cli` is `doorctl join`, `steps` what it does, `owner` with whose rights.

What a label, a request and an answer are stands in `device.joining`; the files are those of `device.installing`.
"""
