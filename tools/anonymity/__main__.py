"""`python -m tools.anonymity`."""

from tools.anonymity.cli import main

if __name__ == "__main__":
    main()
