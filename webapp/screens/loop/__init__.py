"""The dashboard: the state of the loop, what holds it up, and the one button that moves it. Reads only."""
