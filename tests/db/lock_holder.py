"""Holds the write lock of an SQLite database until it is told to stop: `lock_holder.py PATH`. Says "held", ends at the next line it reads."""

from __future__ import annotations

import sqlite3
import sys

connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
connection.close()
