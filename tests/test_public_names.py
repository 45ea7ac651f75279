"""The names that others call are attributes of their packages, whatever was imported before them."""

import importlib
import inspect

import pytest

PUBLIC = {
    "forecast": ("fit", "simulate", "resolve", "run", "ign", "rps", "brier", "crps_fair", "crps_pooled", "verify"),
    "forecast.cli": ("main",),
    "models": ("CATALOGUE",),
    "models.emissions": ("log_density", "pseudo_residuals"),
    "models.forward": (
        "log_likelihood", "log_likelihood_and_gradients", "filtered", "predicted", "smoothed", "smoothed_pairs",
        "one_step_log_density", "most_likely_path", "sample_paths", "markov_log_likelihood", "stationary",
    ),
    "priors": ("load", "diff", "distribution"),
    "reports": ("render",),
}  # fmt: skip


@pytest.mark.parametrize(("module", "name"), [(m, n) for m, names in PUBLIC.items() for n in names])
def test_a_public_name_is_no_module(module: str, name: str) -> None:
    found = getattr(importlib.import_module(module), name)
    assert not inspect.ismodule(found)
    assert name == "CATALOGUE" or callable(found)


@pytest.mark.parametrize("name", PUBLIC["forecast"])
def test_a_verb_keeps_its_name_when_its_module_is_loaded_first(name: str) -> None:
    package = importlib.import_module("forecast")
    for module in ("fitting", "simulation", "rules", "pipeline", "score", "ledger"):
        importlib.import_module(f"forecast.{module}")
    assert callable(getattr(package, name))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'forecasts'"):
        importlib.import_module("forecast").forecasts  # noqa: B018
