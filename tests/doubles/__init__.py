"""Stand-ins that behave, and misbehave, like the services of others."""
