"""Faults on purpose: a world made slow, flaky or wrong by a plan and a seed, as real services are by themselves."""

from servers.faults.faulty import Faulty
from servers.faults.plan import Plan, load
from servers.faults.presets import PRESETS

__all__ = ["PRESETS", "Faulty", "Plan", "load"]
