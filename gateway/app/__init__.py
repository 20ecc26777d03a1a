"""Composition: opens resources in order, wires the parts, owns signals and the exit code."""
