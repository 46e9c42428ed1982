"""Every fact that a service records, by its name: the classes under ``facts``, and those that the log brings along."""

import importlib
import pkgutil
from collections.abc import Mapping
from typing import TypeAlias

import eventlog.erasure  # a fact that every service with keys records
import facts
from eventlog.facts import REGISTRY, Fact

Kinds: TypeAlias = Mapping[str, type[Fact]]


def kinds() -> Kinds:
    for module in pkgutil.walk_packages(facts.__path__, "facts."):
        importlib.import_module(module.name)
    ours = ("facts.", eventlog.erasure.__name__)
    return {name: kind for name, kind in sorted(REGISTRY.items()) if kind.__module__.startswith(ours)}


def service_of(kind: type[Fact]) -> str:
    """Whose fact it is: ``facts.intake.issue`` is intake's, ``eventlog.erasure`` the log's own."""
    package, name, *_ = kind.__module__.split(".")
    return name if package == "facts" else package
