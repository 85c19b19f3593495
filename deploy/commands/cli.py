"""The one command, `roommood`: finds a subcommand's module only when it is asked for.

A device has the agent's packages alone, so `collector`, `demo` and `model` must not be imported
until they are called.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from edge.common.errors import UserError
from edge.common.say import say, say_lines

SUBCOMMANDS = {
    "agent": ("edge.cli", "The agent in the room."),
    "bench": ("deploy.bench.cli", "Measure the system, and try to break it."),
    "collector": ("collector.cli", "The server: stores the counts and shows them."),
    "demo": ("deploy.commands.demo", "The whole system on this machine."),
    "device": ("deploy.commands.device", "The site's devices: enrolment, certificates, updates."),
    "model": ("models.cli", "Train, quantize and evaluate model packs."),
    "site": ("deploy.commands.site", "The site's authority and key, and what is signed with it."),
}

FROM_A_CHECKOUT = ("deploy.bench", "models.data", "models.measure", "models.training")
"""What no installation has: deploy/install.sh."""

EXTRA_OF = {
    **dict.fromkeys(
        ("fastapi", "uvicorn", "sqlalchemy", "jinja2", "prometheus_client", "segno"), "collector"
    ),
    "amqtt": "demo",
    "time_machine": "bench",
    **dict.fromkeys(("torch", "litert_torch", "ai_edge_quantizer", "tqdm"), "train"),
    "matplotlib": "report",
}


class LazyGroup(click.Group):
    def list_commands(self, _context: click.Context) -> list[str]:
        return list(SUBCOMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in SUBCOMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(SUBCOMMANDS[name][0]), name)
        return command

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in SUBCOMMANDS.items()])


@click.command(cls=LazyGroup)
@click.version_option(package_name="roommood")
def roommood(**_options: Any) -> None:
    """The mood of a room as counts: no picture leaves it."""


def main() -> None:
    """Runs the command; whatever goes wrong is one line on stderr, with status 2 for bad input."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")  # its warnings repeat what we say better
    try:
        status = roommood.main(standalone_mode=False)
    except UserError as error:
        status = _refuse(str(error))
    except click.exceptions.NoArgsIsHelpError as error:  # somebody looks around
        say_lines(error.ctx.get_help() if error.ctx else "")
        status = 0
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "roommood"
        status = _refuse(f"{error.format_message()} See '{path} --help'.")
    except click.ClickException as error:
        status = _refuse(error.format_message())
    except (KeyboardInterrupt, click.Abort):
        status = 130
    except ModuleNotFoundError as missing:
        extra = EXTRA_OF.get((missing.name or "").partition(".")[0])
        if extra and sys.argv[1:2] == ["demo"]:
            extra = "demo"  # which brings the collector's too
        if (missing.name or "").startswith(FROM_A_CHECKOUT):
            words = sys.argv[1:3] if sys.argv[1:2] == ["model"] else sys.argv[1:2]
            command = " ".join(["roommood", *words])
            status = _refuse(
                f"'{command}' is not for a device in a room or a school's server, and is not "
                "installed here: run it from a checkout, on another machine"
            )
        elif extra is None:
            status = _internal_error(missing)
        else:
            status = _refuse(f"{missing.name} is missing: pip install 'roommood[{extra}]'")
    except Exception as error:  # nobody should see a traceback who did not ask for one
        status = _internal_error(error)
    sys.exit(status if isinstance(status, int) else 0)


def _refuse(message: str) -> int:
    say_lines(f"roommood: {message}", err=True)
    return 2


def _internal_error(error: Exception) -> int:
    if os.environ.get("ROOMMOOD_TRACEBACK"):
        raise error
    name = type(error).__name__
    more = "set ROOMMOOD_TRACEBACK=1 for more"
    say(f"roommood: internal error: {name}: {error}; {more}", err=True)
    return 1


if __name__ == "__main__":
    main()
