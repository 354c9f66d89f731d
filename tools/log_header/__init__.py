"""What a log of a long run begins with, so that anybody can tell later whether its figures are of these sources."""
