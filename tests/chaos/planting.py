"""Planting: what the harness and a planted service agree on."""

ACTED = "planted bug acted"
"""What a planted service prints when its bug did something for the first time."""
OWNER_DSN = "SHANGYI_CHAOS_OWNER_DSN"
"""The database by the role that may change everything in it."""
POISON = "SHANGYI_CHAOS_POISON"
"""The file that, while it is there, makes some facts indigestible to a planted service's read models."""
