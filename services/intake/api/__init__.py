"""The routes of intake, one router an aggregate."""
