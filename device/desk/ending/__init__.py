"""`doorctl retire`: the end of the door, by whoever looks after it and somebody who lives behind it."""
