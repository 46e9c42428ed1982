"""Mediation's rules, one file an aggregate."""
