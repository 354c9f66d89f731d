"""desk serves: the door's counter for people and their command line.

Rules kept here:
- desk never learns a slot, a PIN, a card key, a face or a score: it carries questions in and sentences out.
- What a person may do was earned at the keypad, as a ticket; desk spends it once and decides nothing itself.
- No picture arithmetic, no keys, no broker: the import contract of this room says so.
"""
