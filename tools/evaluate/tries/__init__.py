"""The bench on which ways to recognise better are tried: each is measured as the others are, kept or not."""
