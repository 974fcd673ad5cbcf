"""The GraphQL API: thin over the services."""
