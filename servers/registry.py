"""The simulated servers by name; a new one is one entry here."""

from servers.errors import UnknownWorldError
from servers.tasks import Domain
from servers.weather.tasks import tasks as weather_tasks
from servers.weather.tools import TOOLS as WEATHER_TOOLS
from servers.weather.world import first_state as first_weather

_DOMAINS = (
    Domain(
        "weather",
        "Weather stations: conditions, forecasts, tides, alerts, observations.",
        first_weather,
        WEATHER_TOOLS,
        weather_tasks,
    ),
)


def worlds() -> list[str]:
    """Return the names of the simulated servers."""
    return [domain.name for domain in _DOMAINS]


def load(name: str) -> Domain:
    """Return the simulated server called `name`.

    Raises:
        UnknownWorldError: there is none.
    """
    for domain in _DOMAINS:
        if domain.name == name:
            return domain
    raise UnknownWorldError(f"no simulated server is called {name!r}; there are: {', '.join(worlds())}")
