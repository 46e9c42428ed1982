"""The routes of mediation, one router an aggregate."""
