"""Tests of what models learn."""
