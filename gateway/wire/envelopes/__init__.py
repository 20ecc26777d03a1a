"""The documents in which network servers forward uplinks: one file each, bytes in, `Event` out."""
