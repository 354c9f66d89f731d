"""`python -m tools.benchmark.peers`."""

from tools.benchmark.peers.cli import main

main()
