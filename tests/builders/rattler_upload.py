"""A real uploader: py-rattler-build, which has the uploads of `rattler-build upload` and of pixi. Runs in an environment of its own.

Reads calls as JSON from its input: [[dialect, url, channel, [file, ...], {option: value}], ...], and prints what each came to, a line each:
`done`, or what the client said of the refusal. Without `api_key` the credential is that of RATTLER_AUTH_FILE.
"""

import json
import sys

import rattler_build

for dialect, url, channel, files, options in json.load(sys.stdin):
    try:
        getattr(rattler_build, f"upload_package_to_{dialect}")(files, url, channel, **options)
        print("done")
    except Exception as refusal:
        print(" ".join(f"{refusal}".split()))
