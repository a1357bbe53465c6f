"""The services and processes of `make run`.

Owns: the embedded PostgreSQL and Valkey, their data and secrets below $GOLDROUNDS_HOME, the web server, workers and
beat that one machine runs, and what to do when any of them dies.
Never owns: anything of the domain; it imports no Django, so that it works before Django can.
Called by: the Makefile, `webapp.settings.env` (paths and addresses only), `tests.services`.
"""
