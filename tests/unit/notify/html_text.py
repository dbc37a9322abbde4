"""What a person reads of an HTML mail, line by line."""

from __future__ import annotations

from html.parser import HTMLParser

#: Elements that begin a line, and how it begins.
_LINES = {"p": "", "h1": "# ", "li": "- ", "tr": "", "blockquote": "> ", "br": "", "title": "", "div": "", "table": ""}
_GAPS = {"td": " | "}
_UNREAD = ("style",)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._link: str | None = None
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unread += tag in _UNREAD
        self.parts.append(f"\n{_LINES[tag]}" if tag in _LINES else _GAPS.get(tag, ""))
        if tag == "a":
            self._link = dict(attrs).get("href")

    def handle_endtag(self, tag: str) -> None:
        self._unread -= tag in _UNREAD
        if tag == "a" and self._link:
            self.parts.append(f" <{self._link}>")
        self.parts.append("\n" if tag in _LINES else "")

    def handle_data(self, data: str) -> None:
        self.parts.append("" if self._unread else data)


def html_text(html: str) -> str:
    """One line a paragraph, heading, item and row, gaps as single spaces, each link behind its text."""
    reader = _Reader()
    reader.feed(html)
    lines = (" ".join(line.split()).removeprefix("| ") for line in "".join(reader.parts).splitlines())
    return "\n".join(line for line in lines if line.strip("-#>| ")) + "\n"
