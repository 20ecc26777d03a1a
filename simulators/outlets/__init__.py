"""Where uplinks go: the ways out of the town."""
