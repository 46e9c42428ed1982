"""Mediation: disputes between people, from consent to performance. Names and words stay sealed."""
