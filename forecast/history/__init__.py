"""How the rules resolve the past, and how often they fire when nothing happens."""

from forecast.history.at_rest import Noise, Steady, noise, warnings
from forecast.history.past import Flip, History, Quarter, Seen, history

__all__ = ["Flip", "History", "Noise", "Quarter", "Seen", "Steady", "history", "noise", "warnings"]
