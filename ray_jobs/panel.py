"""The live view on a terminal: one panel that is drawn again in place. Colours are left out where NO_COLOR is set."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

EVERY_S = 0.25  # between two drawings
BAR = 40  # columns


class Panel:
    """Drawn on standard error while a stage is at work, gone without a trace when it ends."""

    def __init__(self, console: Any = None) -> None:
        from rich.console import Console

        self._console = console or Console(stderr=True)
        self._live: Any = None
        self._drawn = 0.0

    def show(self, title: str, share: float, rows: Sequence[tuple[str, str]]) -> None:
        """Draw `rows` of label and value under a bar of which `share` (0 to 1) is full."""
        if self._live is not None and time.monotonic() - self._drawn < EVERY_S:
            return
        from rich.live import Live

        if self._live is None:
            self._live = Live(
                console=self._console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
            )
            self._live.start()
        self._live.update(_drawing(title, share, rows), refresh=True)
        self._drawn = time.monotonic()

    def stop(self) -> None:
        """Take it off the terminal, so that lines can be printed; the next `show` draws it again."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def _drawing(title: str, share: float, rows: Sequence[tuple[str, str]]) -> Any:
    from rich import box
    from rich.console import Group
    from rich.panel import Panel as Frame
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for label, value in rows:
        table.add_row(Text(label, style="dim"), Text(value))  # text, not markup: a reason may hold brackets
    full = round(BAR * min(1.0, max(0.0, share)))
    bar = Text("━" * full, style="green").append("─" * (BAR - full), style="dim")
    return Frame(Group(bar, table), title=Text(title), title_align="left", box=box.ROUNDED, expand=False)
