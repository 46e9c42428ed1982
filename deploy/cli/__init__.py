"""``shangyi``: the operators' tool."""
