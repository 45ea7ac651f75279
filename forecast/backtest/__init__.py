"""The past replayed: at every origin only what was known, every model and reference scored on what came."""

from forecast.backtest.known import Plan
from forecast.backtest.replaying import Backtest, backtest

__all__ = ["Backtest", "Plan", "backtest"]
