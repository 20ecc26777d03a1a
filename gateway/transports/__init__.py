"""Doors: the asynchronous rim through which uplinks come in."""
