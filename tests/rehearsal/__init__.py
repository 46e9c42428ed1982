"""The rehearsal: random town-years, lived through by the real rules, whose figures must be what plain counting says."""
