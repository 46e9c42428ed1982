"""The rules of intake, one file an aggregate."""
