"""The ledger as other programs read it: tidy tables, or a hub that holds every issued forecast once."""

from forecast.exports.hub import Exported, write_hub
from forecast.exports.tables import write_tables

__all__ = ["Exported", "write_hub", "write_tables"]
