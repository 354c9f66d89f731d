"""`python -m tools.fleet_sim`."""

from tools.fleet_sim.cli import main

if __name__ == "__main__":
    main()
