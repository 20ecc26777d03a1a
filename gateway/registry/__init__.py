"""The registry: which device is what, who speaks for it, whose it is, and who consented."""
