"""`python -m bench.conda [--only PART]… [--sizes COUNT…] [--quick]`: parts of the section, or other sizes."""

from __future__ import annotations

from bench.conda import SECTION

if __name__ == "__main__":
    SECTION.main()
