"""The options that say what the memory keeps. Apart from options.py, which the relay loads: it needs no tantivy."""

import click

from middleware.memory.retention import KEEP_BYTES, KEEP_DAYS

keep_days_option = click.option(
    "--keep-days",
    type=click.FloatRange(min=0),
    default=KEEP_DAYS,
    show_default=True,
    envvar="PRACTICUM_KEEP_DAYS",
    show_envvar=True,
    help="For how many days what calls said is kept.",
)
keep_bytes_option = click.option(
    "--keep-bytes",
    type=click.IntRange(min=0),
    default=KEEP_BYTES,
    show_default=True,
    envvar="PRACTICUM_KEEP_BYTES",
    show_envvar=True,
    help="How large the memory may grow, in bytes, before the oldest calls are thinned.",
)
