"""Read models: one file each, its row, its fold, its queries."""
