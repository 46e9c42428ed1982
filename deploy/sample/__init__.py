"""A town to look at: people with roles, and what they do, through the services' APIs alone."""
