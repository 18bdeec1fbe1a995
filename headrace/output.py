"""What a command says: progress for people on standard error, its result on standard output in words or as one JSON object."""

from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

progress = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
answers = Console(highlight=False, soft_wrap=True, emoji=False)


class Output:
    """One command's output; `as_json` prints one JSON object instead of words, `quiet` does not repeat what processes print."""

    def __init__(self, as_json: bool, quiet: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet

    def step(self, text: str) -> None:
        """Tell a person how far we are; a script hears nothing."""
        if not self.as_json:
            progress.print(f"[dim]·[/dim] {escape(text)}")

    def line(self, name: str, line: str) -> None:
        """Pass on a line that process `name` printed."""
        if not self.as_json and not self.quiet:
            progress.print(f"[cyan]{name:>9}[/cyan] {escape(line)}")

    def result(self, value: Any, words: str | Table) -> None:
        """Print the one result: `value` for scripts, `words` (rich's markup: escape what others wrote) for people."""
        if self.as_json:
            print(msgspec.json.encode(value).decode(), flush=True)
        else:
            answers.print(words)
