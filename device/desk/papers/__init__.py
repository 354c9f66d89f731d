"""What a resident keeps: signed consent records and receipts, saved, shown and checked without the door.

Rules kept here:
- A paper that the door has signed is never lost to a file that cannot be written: it is printed then.
- Checking needs no door and says what a paper proves, and what it does not.
"""
