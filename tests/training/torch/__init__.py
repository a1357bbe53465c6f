"""Tests of the torch side: small models, real code paths, no database."""
