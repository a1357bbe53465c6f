"""Users, projects, roles and API tokens. Everybody may call it; it calls nobody."""
