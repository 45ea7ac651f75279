"""The past replayed: at every origin only what was known, every model and reference scored on what came.

`Plan` says which origins, `backtest` replays them; both are loaded at first use, so that the command line stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forecast.backtest.known import Plan
    from forecast.backtest.replaying import Backtest, backtest

__all__ = ["Backtest", "Plan", "backtest"]

_HOME = {"Backtest": "replaying", "Plan": "known", "backtest": "replaying"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
