"""What mediation records."""
