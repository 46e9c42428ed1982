"""Reporting: every published fact, and the lists and figures that are made of nothing else."""
