"""The page of one item: its draft, what shaped it, its gold, what happened to each criterion. Reads only."""
