"""What waits for a third reviewer, the oldest first. Reads only; settling happens at the review screen."""
