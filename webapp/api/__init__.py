"""The REST API: authentication, serializers, views, schema. Everything it does, the domain does for it."""
