"""Importing a folder of packages into a namespace: every file goes through the same gate as an upload.

Nothing of a run is remembered but what it publishes, so it can be ended at any point and begun again: what is there already is known by its path
and its bytes, and passed over without being inspected. The folder is only read.
"""
