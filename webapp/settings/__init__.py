"""Settings: `env.py` alone reads the environment, `project.py` is what Django loads."""
