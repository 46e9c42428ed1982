"""What does not leave deliberation, and what its own reactions look up."""
