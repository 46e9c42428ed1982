"""What intake records."""
