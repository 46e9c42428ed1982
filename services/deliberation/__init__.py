"""Deliberation: issues talked over in committees, what came of it, and every promise until it is kept."""
