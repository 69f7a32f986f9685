"""Asking a person before something is changed for good, alike in every command."""

import sys

import click

from learner.errors import NotConfirmedError

HOW = "give --yes, or --dry-run to look"


def check_json(as_json: bool, is_decided: bool, *, how: str = HOW) -> None:
    """Check that a machine has decided: it is never asked.

    Raises:
        click.UsageError: it has not.
    """
    if as_json and not is_decided:
        raise click.UsageError(f"with --json nothing is asked: {how}")


def check_terminal(*, nothing: str = "nothing was changed", how: str = HOW) -> None:
    """Check that there is somebody to ask.

    Raises:
        NotConfirmedError: there is no terminal; says that `nothing` was done, and `how` to do without.
    """
    if not sys.stdin.isatty():
        raise NotConfirmedError(f"{nothing}: there is no terminal to ask on; {how}")


def ask(question: str, *, nothing: str = "nothing was changed", how: str = HOW) -> None:
    """Return if a person answers yes.

    Raises:
        NotConfirmedError: they say no, or there is nobody to ask.
    """
    check_terminal(nothing=nothing, how=how)
    if not click.confirm(question, err=True):
        raise NotConfirmedError(nothing)
