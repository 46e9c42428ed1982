"""What deliberation records."""
