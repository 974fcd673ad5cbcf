"""py-rattler's indexer on a channel of folders. Runs in an environment of its own: `index_fs.py CHANNEL`."""

import asyncio
import os
import sys

from rattler.index import index_fs

asyncio.run(index_fs(sys.argv[1], write_zst=True, write_shards=True))
sys.stdout.flush()
os._exit(0)  # the interpreter may crash at exit after success
