"""The rules of deliberation, one file an aggregate."""
