"""Layouts that several products of one maker share, and what all of them read bytes with."""
