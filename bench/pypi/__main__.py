"""`python -m bench.pypi [--only PART]… [--sizes COUNT…] [--quick]`: parts of the section, or other sizes."""

from __future__ import annotations

from bench.pypi import SECTION

if __name__ == "__main__":
    SECTION.main()
