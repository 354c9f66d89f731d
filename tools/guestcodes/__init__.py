"""Guest codes at home: the resident's own command, which needs neither the door nor a network (docs/codes.md)."""
