"""An editor that follows the JSON Schema accepts what the reader accepts, and marks what it refuses."""

import tomllib
from pathlib import Path

import pytest

import priors
from priors.schema import schema

FRONTIER = Path(priors.__file__).with_name("frontier.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def validator():
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(schema())


def as_json(text):
    """TOML as an editor hands it to a validator: dates are texts."""

    def plain(value):
        if isinstance(value, dict):
            return {key: plain(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [plain(inner) for inner in value]
        return value if isinstance(value, str | int | float) else str(value)

    return plain(tomllib.loads(text))


def test_the_frontier_is_valid(validator):
    assert list(validator.iter_errors(as_json(FRONTIER))) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[dwell.contained]", "[dwel.contained]"),
        ("high = 36", 'high = "36"'),
        ("high = 36", "hihg = 36"),
        ('kind = "quartiles"', 'kind = "quartile"'),
        ("[exits.contained]", "[exits.Contained]"),
        ("[persist.agreement.on]", "[persist.agreement.onn]"),
        ("schema = 1", "schema = 2"),
        ('because = "Limited', '# because = "Limited'),
    ],
)
def test_a_slip_is_marked(validator, old, new):
    assert old in FRONTIER
    assert list(validator.iter_errors(as_json(FRONTIER.replace(old, new, 1))))


def test_every_quantity_says_what_it_means():
    node = schema()["properties"]
    assert node["start"]["description"].startswith("The regime in the first month")
    assert node["pooling"]["properties"]["fronts"]["description"]
