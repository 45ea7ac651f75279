"""The quarterly arrow: incidents to panel, posterior, futures, scenario probabilities, ledger.

The public verbs are attributes of the package and load what they need at first use:

    fit, simulate                                   a panel and beliefs to a posterior, a posterior to futures
    resolve                                         the scenario to which a window resolves, by the written rules
    run                                             the whole quarterly run
    ign, rps, brier, crps_fair, crps_pooled         proper scores, lower is better
    verify                                          whether a ledger is whole
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forecast.fitting import fit
    from forecast.ledger import verify
    from forecast.pipeline import run
    from forecast.rules import resolve
    from forecast.score import brier, crps_fair, crps_pooled, ign, rps
    from forecast.simulation import simulate

__all__ = [
    "brier",
    "crps_fair",
    "crps_pooled",
    "fit",
    "ign",
    "resolve",
    "rps",
    "run",
    "simulate",
    "verify",
]

_HOME = {
    "fit": "fitting",
    "simulate": "simulation",
    "resolve": "rules",
    "run": "pipeline",
    "verify": "ledger",
    **dict.fromkeys(("brier", "crps_fair", "crps_pooled", "ign", "rps"), "score"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
