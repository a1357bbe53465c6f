"""The interface's messages: found in the sources, kept in `webapp/locale`, compiled. Needs no program but Python.

Called by `make messages` and by the tests; at run time Django reads the compiled files alone.
"""
