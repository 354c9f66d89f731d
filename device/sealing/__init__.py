"""Sealed records, shared by vault and keeper: the record and ring formats, key stores, and the one store over them.

Rules kept here:
- Nobody outside this package touches `nacl.secret`; rooms see slots and payloads, never keys or ciphertext.
- A payload is readable only with three things: its record file, its key out of the ring, and the epoch key that opens
  the ring. Destroying the epoch key destroys every ring that was sealed under it.
- What is damaged is refused alone and in words; nothing that cannot be read is deleted to make room.
"""
