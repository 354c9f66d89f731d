"""The door's side of a card: whose it is, what is asked of it, and when it opens.

Rules kept here:
- Everything in this package is a value or a generator; only `counters` touches a file, and only `aes` loads a library.
  A door without a card reader imports `registered` and `counters` and never AES.
- A card proves that it knows a key of this door, in a session that nobody has heard before, and that it is the one
  that was here last. A number that anybody can read off a card (its UID) proves nothing.
- Whatever a card answers, an exchange ends: with a yes, or with a reason. No answer raises, and none is believed before
  its length, its status and its MAC were looked at.

How cards work, in plain words, and every byte: `docs/cards.md`.
"""
