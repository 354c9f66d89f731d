"""The assurance card: one page and its data for a release, every number of which comes from a log of these sources."""
