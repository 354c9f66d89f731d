"""Simulated cards, written from NXP's public documents alone, so that the door's reading of them has a second opinion.

What is here: MIFARE DESFire EV1 and EV2 (AES applications, standard and backup data files), NTAG 424 DNA (AES, not LRP,
without SUN mirroring) and a card that has nothing but a number. Sources: NXP data sheets NT4H2421Gx (NTAG 424 DNA) and
MF2DL(H)x0 (DESFire Light, which prints EV2 messaging), application notes AN12196, AN12343 and AN12757 (EV1 messaging).

Rules kept here:
- Nothing of `device/` is imported but its errors: a mistake made twice would be found by no test.
- A card obeys the reader as far as the chip would, and not a step farther: a wrong MAC, length, state or key gets the
  status word of the data sheet and changes nothing.
"""
