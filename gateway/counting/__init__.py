"""Counters of distinct households and tags by unit and period, and what may be told of them. Pure."""
