"""What became of drafted criteria: pass rates, reasons, and what the drafter gets wrong. Reads only."""
