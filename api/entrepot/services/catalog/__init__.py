"""Reading what is stored, for people and programs that browse: namespaces, packages, releases, files and labels, a page at a time.

Rows, never ORM models, and never in a transaction. What the actor may not read is not there.
"""
