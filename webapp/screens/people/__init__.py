"""Members of a project, their roles, their sign-ins and API tokens. `members` holds the writes; admins call it."""
