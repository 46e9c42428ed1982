"""Paths: what their parameters name.

Imports nothing of ours: Hypothesis, under Schemathesis, tries the numbers and words of every module of ours that is
loaded, so that what the hooks import changes what is asked.
"""


def named_by(path: str, parameter: str) -> str:
    """What a parameter of a path names: a division, of which there are several kinds, by the path's first part too."""
    return f"{path.split('/')[1]}/{parameter}" if parameter == "division" else parameter
