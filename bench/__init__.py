"""Bench: what the platform costs, beside what the same machine gives to the barest thing that could do the work."""
