"""Device kinds: what each kind of box says, and the proof of it."""
