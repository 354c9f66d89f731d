"""A day of door life, compressed: every way in, homes that change hands, rooms killed, a broker that flaps."""
