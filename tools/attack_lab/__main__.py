"""`python -m tools.attack_lab`."""

from tools.attack_lab.cli import main

if __name__ == "__main__":
    main(prog_name="python -m tools.attack_lab")
