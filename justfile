# How everything is run here. `just` alone lists the recipes.

_default:
    @just --list

# all tests, real clients included
test *arguments:
    .venv/bin/pytest -n auto {{arguments}}

# style and the direction of imports
lint:
    .venv/bin/ruff check
    .venv/bin/ruff format --check
    .venv/bin/lint-imports --no-logo

types:
    .venv/bin/mypy

# print the GraphQL schema into schema.graphql
schema:
    .venv/bin/python -m entrepot.graphql.schema > schema.graphql

# measure this machine; takes some minutes
bench *arguments:
    .venv/bin/python -m bench {{arguments}}
