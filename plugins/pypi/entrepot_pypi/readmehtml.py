"""A README as HTML: a program of its own, which `readme.py` starts. It imports nothing of the server, and so starts quickly.

    python readmehtml.py <content type> < README > HTML

Ends with 1 where the README does not render or makes far more HTML than it has text, and is ended where it takes more time or memory than any README
should.
"""

from __future__ import annotations

import resource
import sys

# what renders is imported where it is needed: it takes longer than most READMEs
cpu_seconds = 5
memory = 1 << 30
longest = 2 << 20
"""Of the HTML, in bytes: a reference to a link is short, and the link that it stands for is not."""


def html_of(source: str, content_type: str) -> str | None:
    """Safe HTML; None: it does not render. Without a content type it is reStructuredText, as the core metadata specification has it."""
    kind, _, parameters = (part.strip() for part in content_type.lower().partition(";"))
    if kind == "text/markdown":
        from readme_renderer import markdown

        return markdown.render(source, variant="CommonMark" if "variant=commonmark" in parameters.replace(" ", "") else "GFM")
    if kind == "text/plain":
        from readme_renderer import txt

        return f"<pre>{txt.render(source)}</pre>"
    from readme_renderer import rst

    return rst.render(source)


def main() -> int:
    """See above."""
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))  # ended by SIGXCPU: SIGKILL would be anybody's
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    html = html_of(sys.stdin.buffer.read().decode(), sys.argv[1])
    body = b"" if html is None else html.encode()
    if html is None or len(body) > longest:
        return 1
    sys.stdout.buffer.write(body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
