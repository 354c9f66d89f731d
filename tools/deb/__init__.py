"""The Debian package of a door: `make deb` lays its tree, and dpkg-deb makes one file of it.

Rules kept here:
- Nothing is fetched when the package is installed: its wheels, its networks and its code are in it.
- What is fetched when it is built has a hash in requirements/device-*.txt, and is never run, only unpacked: so a
  package for another processor needs no emulation.
- The same inputs give the same bytes: sorted, owned by root, dated by SOURCE_DATE_EPOCH.
"""
