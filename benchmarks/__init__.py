"""Figures, as ratios within one run; each file says what it measures and prints the machine."""
