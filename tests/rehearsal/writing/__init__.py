"""Writing: how the die deals out a county and what happens in it, one file a kind of thing."""
