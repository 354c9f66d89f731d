"""What somebody who knows the neighbours' habits learns from everything a door says: measured, not asserted."""
