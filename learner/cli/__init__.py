"""The command `learner`. Each command's module is imported only when that command is named, so that `--help` and the
relay stay quick and small."""

import importlib
import sys
from pathlib import Path
from typing import Any

import click

# command → (module of learner.cli, what --help says of it); kept here so that --help imports none of them.
COMMANDS = {
    "demo": ("demo", "The whole loop on a simulated server: before, practice, distil, after."),
    "serve": ("serve", "Run a simulated server on stdio."),
    "proxy": ("proxy", "Put the recording relay in front of one MCP server."),
    "wrap": ("wrap", "Put the relay in front of the servers in an MCP client's configuration."),
    "unwrap": ("wrap", "Take the relay out of an MCP client's configuration again."),
    "calls": ("look", "Show remembered calls, newest first."),
    "tools": ("tools", "Show the tools that were seen, and how often their calls fail."),
    "servers": ("look", "Show the servers that were seen."),
    "trials": ("look", "Show trials: queries, their calls and verdicts."),
    "import": ("imports", "Take in experience from elsewhere."),
    "distill": ("distill", "Turn remembered trials into an artefact."),
    "artefacts": ("apply", "Show artefacts, and which are being served."),
    "apply": ("apply", "Let the relays show what an artefact learned."),
    "rollback": ("apply", "Stop showing it; what was shown before comes back."),
    "doctor": ("doctor", "Look whether all is well; each finding comes with the command that mends it."),
    "forget": ("forget", "Delete what should not be kept, and whatever was made from it."),
    "evaluate": ("evaluate", "Measure a model on held-out cases, with and without an artefact."),
}


class LazyGroup(click.Group):
    """Finds a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the commands in the order of the table above."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import the module of `cmd_name` and return its command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"learner.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="practicum", prog_name="learner")
@click.option(
    "--memory",
    type=click.Path(path_type=Path),
    help="The memory file. Default: PRACTICUM_MEMORY, else practicum/memory.db in the user's data directory.",
)
@click.pass_context
def learner(ctx: click.Context, memory: Path | None) -> None:
    """Remember every tool call, learn from it, and give what was learned to any MCP client."""
    ctx.obj = memory


def main() -> None:
    """Run the command line: errors are one line on stderr: exit 1, or 2 for wrong usage."""
    # A class of ours, not a module's: importing every package's errors here would cost the relay its start-up.
    from learner.cli.failure import failure_line

    try:
        result: Any = learner.main(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("learner: interrupted", err=True)
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "learner"
        message = " ".join(error.format_message().split()).rstrip(".")
        click.echo(f"learner: {message}; see '{command} --help'", err=True)
        sys.exit(error.exit_code)
    except Exception as error:
        line = failure_line(error)
        if line is None:
            raise
        click.echo(f"learner: {line}", err=True)
        sys.exit(1)
    sys.exit(result if isinstance(result, int) else 0)
