"""Tests of the server-rendered screens."""
