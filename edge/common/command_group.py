"""How every group of commands shows its help."""

from __future__ import annotations

import click


class CommandGroup(click.Group):
    """Lists its commands with their first sentence whole; click's own cuts it at the line's end."""

    group_class = type  # of the groups below it too

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [
            (name, command.get_short_help_str(limit=1000))
            for name in self.list_commands(context)
            if (command := self.get_command(context, name)) and not command.hidden
        ]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)
