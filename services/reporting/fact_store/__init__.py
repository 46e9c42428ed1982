"""The fact store: every published fact with its full envelope, and the figures asked of it."""
