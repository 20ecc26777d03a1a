"""Vendors' JavaScript: run within limits, in processes of its own, away from everything else."""
