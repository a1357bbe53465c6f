"""All that faces a person or a network, and the wiring.

Owns settings, sign-in, roles, audit, durable jobs, screens, the REST API and the embedded services.
Never owns a rule of the field: those stand in `rubric_engine`, `annotation` and `training`.
"""
