"""The routes of reporting: reports, and one list a read model."""
