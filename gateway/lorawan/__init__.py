"""A Class A network server without I/O: what was heard goes in, uplinks and downlinks come out."""
