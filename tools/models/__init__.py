"""Build, check and measure the three networks that lie in `models/`.

Rules this package keeps:
- weights come only from named, versioned packages whose archive and member sha256 are written down here;
- photographs found in a package calibrate a build in memory and are never written to the output or the repository;
- a figure that a model card states comes out of a command in this package.
"""
