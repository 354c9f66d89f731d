"""What takes hours: random lives of a door, guards taken out one by one, mutated sources, bytes nobody would send.

`make long` runs all of it; a seeded share runs with the tests. docs/logs holds what really ran.
"""
