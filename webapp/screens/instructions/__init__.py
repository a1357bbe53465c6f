"""The list of instructions with search and filters, and the page of one. Reads only."""
