"""`python -m tools.benchmark.peers`: a door beside what other people open doors with, on the same pictures."""
