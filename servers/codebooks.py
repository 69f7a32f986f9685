"""The codebooks that every service needs: codes for names, days around today, minutes of a day.

Made once for each form: a world is made anew for every check, its codebooks need not be.
"""

import datetime
import functools

from servers.forms import Codebook, DateForm, NameForm, TimeForm
from servers.phrases import plain_day

DAYS_AROUND_TODAY = 730


@functools.lru_cache(maxsize=512)
def codes(form: NameForm, names: tuple[str, ...], example: str) -> Codebook[str]:
    """Return the codes for `names`."""
    return Codebook(form, names, example=example, said=example)


@functools.lru_cache(maxsize=64)
def days(form: DateForm, today: datetime.date) -> Codebook[datetime.date]:
    """Return the days that a world of `today` knows, two years either way."""
    reach = range(-DAYS_AROUND_TODAY, DAYS_AROUND_TODAY + 1)
    # An example that leaves nothing open: a named month shows a padded day, a number shows which part is the day.
    example = datetime.date(1999, 9, 23 if form.month in ("03", "3") else 8)
    return Codebook(form, (today + datetime.timedelta(days=n) for n in reach), example=example, said=plain_day(example))


@functools.lru_cache(maxsize=64)
def times(form: TimeForm) -> Codebook[datetime.time]:
    """Return the minutes of a day."""
    minutes = (datetime.time(hour, minute) for hour in range(24) for minute in range(60))
    return Codebook(form, minutes, example=datetime.time(9, 41), said="9:41 am")
