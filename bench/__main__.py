"""``python -m bench``: what the platform costs. ``python -m bench.log`` measures what lies below its routes."""

from bench import appends, commands, whole
from bench.command import run

if __name__ == "__main__":
    run("bench", __doc__, {"appends": appends.measure, "commands": commands.measure, "whole": whole.measure}, {})
