"""The page of one item: its draft, what shaped it, its gold, and what happened to each drafted criterion. Reads only."""
