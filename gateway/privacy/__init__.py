"""The mask and what it is made of: pure, and the only maker of observations."""
