"""The database: models, engines, migrations. Knows nothing of HTTP, GraphQL or any package type."""
