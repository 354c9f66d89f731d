"""`make demo`: the whole story of a door on real pictures, without a screen."""
