"""Options of the local level in forecast.toml: what turns them on, and one line for each mistake."""

import datetime
import re
import shutil
from pathlib import Path

import pytest

from forecast.clock import Clock
from forecast.question import ask
from forecast.workspace import load, needs
from priors import Refusal

SMALL = Path(__file__).parents[1] / "workspaces" / "small"
BELIEFS = {
    "persist.truce.on": (0.7, 0.95, "probability"),
    "persist.truce.off": (0.7, 0.95, "probability"),
    "season.incidents": (5, 40, "percent"),
    "season.fire-days": (5, 40, "percent"),
    "trend.incidents": (0.5, 4, "percent per month"),
    "damping.incidents": (0.5, 0.95, "share"),
    "outlier.incidents": (0.005, 0.05, "share of months"),
    "outlier.fire-days": (0.005, 0.05, "share of months"),
}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A workspace that compares a local level, with every belief that its options may need."""
    place = Path(shutil.copytree(SMALL, tmp_path / "small"))
    edit(place, "forecast.toml", '["regimes"]', '["regimes", "local-level"]')
    told = "".join(
        f'\n[{key}]\nkind = "interval"\nlow = {low}\nhigh = {high}\nmass = 0.9\nunit = "{unit}"\n'
        'because = "Field experience."\n'
        for key, (low, high, unit) in BELIEFS.items()
    )
    beliefs = (place / "priors.toml").read_text("utf-8")
    (place / "priors.toml").write_text(beliefs + told, "utf-8", newline="")
    return place


def edit(place: Path, file: str, old: str, new: str) -> None:
    text = (place / file).read_text("utf-8")
    assert old in text
    (place / file).write_text(text.replace(old, new, 1), "utf-8", newline="")


def chosen(place: Path, lines: str, model: str = "local-level") -> None:
    edit(place, "forecast.toml", "[sources.counts]", f"[models.{model}]\n{lines}\n\n[sources.counts]")


def forget(place: Path, key: str) -> None:
    """Take one belief out of priors.toml."""
    entries = re.split(r"\n(?=\[)", (place / "priors.toml").read_text("utf-8"))
    kept = [entry for entry in entries if not entry.startswith(f"[{key}]")]
    assert len(kept) == len(entries) - 1
    (place / "priors.toml").write_text("\n".join(kept), "utf-8", newline="")


def test_an_option_that_is_true_is_for_every_stream_that_can_have_it(small: Path) -> None:
    chosen(small, "season = true\ntrend = true\noutliers = true")
    clock = Clock(
        as_of=datetime.date(2021, 1, 31),
        timing="retrospective",
        issued_at="2021-02-01T00:00:00+00:00",
    )
    question = ask(load(small), clock)
    found = {s.id: (s.season, s.trend, s.outliers) for s in question.setting("local-level").streams}
    assert found == {
        "incidents": (True, True, True),
        "fire-days": (True, False, True),
        "truce": (False, False, False),
    }
    plain = question.setting("switching-level").streams
    assert not any(s.season or s.trend or s.outliers for s in plain)


def test_a_list_is_for_those_it_names(small: Path) -> None:
    chosen(small, 'season = ["fire-days"]\noutliers = ["incidents"]')
    found = load(small)
    settings = found.config.models.settings["local-level"]
    asked = needs(
        "local-level",
        scenarios=("calm", "tense"),
        reference="tense",
        streams=found.streams,
        settings=settings,
    )
    assert {"season.fire-days", "outlier.incidents"} <= set(asked)
    assert not {"season.incidents", "outlier.fire-days", "trend.incidents"} & set(asked)


def test_beliefs_about_an_option_that_is_off_may_stay(small: Path) -> None:
    """As any entry that some model of the catalogue could use."""
    assert "season.incidents" in load(small).priors


@pytest.mark.parametrize(
    ("lines", "match"),
    [
        ('season = ["incident"]', r"models.local-level.season .*'incident'.*did you mean 'incidents'\?"),
        ('season = ["truce"]', r"models.local-level.season .*'truce'; wanted a stream that has a level"),
        ('trend = ["fire-days"]', r"models.local-level.trend .*'fire-days'; wanted a stream with level = \"walk\""),
        ("season = []", r"models.local-level.season.*wanted true"),
        ('season = "yes"', r"models.local-level.season.*'yes'; wanted true"),
        ("outliers = 1", r"models.local-level.outliers.*got 1; wanted true"),
        ("outlier = true", r"models.local-level.outlier .*did you mean 'outliers'\?"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_option(small: Path, lines: str, match: str) -> None:
    chosen(small, lines)
    with pytest.raises(Refusal, match=match):
        load(small)


@pytest.mark.parametrize(
    "key", ["season.fire-days", "trend.incidents", "damping.incidents", "outlier.incidents"]
)
def test_an_option_without_its_belief(small: Path, key: str) -> None:
    chosen(small, "season = true\ntrend = true\noutliers = true")
    forget(small, key)
    with pytest.raises(Refusal, match=rf"{key}: model 'local-level' needs it; add \[{key}\]"):
        load(small)


def test_an_option_of_another_model(small: Path) -> None:
    edit(small, "forecast.toml", "basis = 8", "basis = 8\nseason = true")
    with pytest.raises(
        Refusal, match=r"models.switching-level.season .*wanted no season: it is for local-level"
    ):
        load(small)


@pytest.mark.parametrize(
    ("key", "unit", "match"),
    [
        ("trend.fire-days", "percent per month", r"trend.fire-days.*wanted no trend, or level = \"walk\""),
        ("season.truce", "percent", r"season.truce.*wanted no season: the stream is bernoulli"),
        ("outlier.truce", "share", r"outlier.truce.*wanted no outlier: the stream is bernoulli"),
        ("damping.incidents", "percent", r"unit.*got 'percent'.*wanted a unit that begins \"share\""),
    ],
)
def test_a_belief_that_no_declaration_can_use(small: Path, key: str, unit: str, match: str) -> None:
    entry = (
        f'\n[{key}]\nkind = "interval"\nlow = 0.1\nhigh = 0.5\nmass = 0.9\nunit = "{unit}"\n'
        'because = "Field experience."\n'
    )
    if key in BELIEFS:
        forget(small, key)
    text = (small / "priors.toml").read_text("utf-8")
    (small / "priors.toml").write_text(text + entry, "utf-8", newline="")
    with pytest.raises(Refusal, match=match):
        load(small)
