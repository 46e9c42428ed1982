"""How the platform is run: on one machine from nothing, by the command `shangyi`, with a demonstration to look at."""
