"""vault recognises: it holds the templates, compares, and says a slot or nobody.

Rules kept here:
- No score, distance or "almost" leaves this package; every refusal looks like every other.
- No camera, no network, no PIN: vault hears embeddings from eye, grants from keeper, acts from desk.
- A template exists in memory here and sealed on disk (`device.sealing`), and nowhere else.
"""
