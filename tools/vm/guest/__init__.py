"""Files that lie in the guest as they are here; none is imported."""
