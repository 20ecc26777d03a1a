"""The keys: random, outside the state directory, made in time and destroyed in time."""
