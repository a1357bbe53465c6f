"""The way in: the start page by role, and the sample sign-ins. Owns no accounts: allauth and webapp.accounts do."""
