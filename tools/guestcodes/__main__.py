"""`python -m tools.guestcodes`."""

from tools.guestcodes.cli import main

if __name__ == "__main__":
    main()
