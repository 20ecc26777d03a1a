"""Finding what must not be there: every form a place, a tag or a name may take in bytes. No I/O.

Needs numpy, which the extra `export` brings; nothing that serves a city imports this room.
"""
