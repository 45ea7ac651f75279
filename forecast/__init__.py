"""The quarterly arrow: incidents to panel, posterior, futures, scenario probabilities, ledger."""
