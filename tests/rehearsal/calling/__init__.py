"""Calling: how what happens in a year is asked for, one file a kind of thing."""
