"""Gold, exemplars and pool versions: freeze, activate, retire. Every change is `rubric_engine.exemplars`' own."""
