"""The routes of deliberation, one router an aggregate."""
