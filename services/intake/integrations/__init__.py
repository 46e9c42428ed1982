"""Protocols and formats of others."""
