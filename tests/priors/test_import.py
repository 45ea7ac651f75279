"""Importing the package costs next to nothing: the command line must answer before a parser is built."""

import subprocess
import sys

import pytest

import priors

HEAVY = ("pydantic", "numpy", "scipy", "preliz", "pandas", "tomlkit")


def fresh(code):
    """What a new interpreter prints; pytest itself has imported everything long ago."""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return told.stdout.split()


def test_importing_the_package_imports_nothing_heavy():
    assert fresh(f"import sys, priors; print(*[m for m in {HEAVY} if m in sys.modules])") == []


def test_reading_a_file_needs_no_numbers():
    path = str(priors.__path__[0])
    code = f"import sys, priors; priors.load({path!r} + '/frontier.toml'); print(*[m for m in {HEAVY} if m in sys.modules])"
    assert fresh(code) == ["pydantic"]


def test_every_public_name_is_there_and_no_other():
    assert all(hasattr(priors, name) for name in priors.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'prior'"):
        priors.prior  # noqa: B018
