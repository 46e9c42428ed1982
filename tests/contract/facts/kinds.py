"""Every fact that a service records, by its name: the classes under ``facts``."""

import importlib
import pkgutil
from collections.abc import Mapping
from typing import TypeAlias

import facts
from eventlog.facts import REGISTRY, Fact

Kinds: TypeAlias = Mapping[str, type[Fact]]


def kinds() -> Kinds:
    for module in pkgutil.walk_packages(facts.__path__, "facts."):
        importlib.import_module(module.name)
    return {name: kind for name, kind in sorted(REGISTRY.items()) if kind.__module__.startswith("facts.")}


def service_of(kind: type[Fact]) -> str:
    """Whose fact it is: ``facts.intake.issue`` is intake's."""
    return kind.__module__.split(".")[1]
