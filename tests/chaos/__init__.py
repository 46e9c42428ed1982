"""Chaos: a client's history against the whole platform while its parts are killed, stopped and cut off."""
