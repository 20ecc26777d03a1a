"""Recordings as a door: what came once comes again, by the recording's own clock (decisions 16)."""
