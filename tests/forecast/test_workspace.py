"""A workspace is what its files say: parsed once, known by date, complete for the models it uses."""

import datetime
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from forecast.config import Configuration
from forecast.streams import StreamDefinition
from forecast.workspace import (
    MODELS,
    bundled_files,
    drivers_known,
    labels_known,
    load,
    masks_known,
    needs,
    rendered,
    schemas,
    write_schemas,
)
from priors import Refusal

SMALL = Path(__file__).parents[1] / "workspaces" / "small"
CONTRACT = Path(__file__).parents[3] / "shared" / "design" / "contract"


def test_every_file_is_read() -> None:
    small = load(SMALL)
    assert small.name == "small"
    assert small.title == "A small theatre"
    assert small.scenarios.ids == ("calm", "tense", "war")
    assert [stream.id for stream in small.streams] == ["incidents", "fire-days", "truce"]
    assert [label.scenario for label in small.labels] == ["war", "calm"]
    assert [(row.month, row.value) for row in small.drivers] == [("2018-07", 1.0), ("2018-10", 0.0)]
    assert small.config.models.settings["switching-level"].basis == 8
    assert small.data_path("counts").read_bytes().startswith(b"month,front,stream,count")


def test_every_input_is_named_for_hashing() -> None:
    small = load(SMALL)
    assert set(small.files) == {
        "forecast.toml",
        "scenarios.toml",
        "priors.toml",
        "labels.toml",
        "drivers.csv",
        "data/counts.csv",
        "data/chronology.csv",
    }
    assert all(path.is_file() for path in small.files.values())


def test_only_what_was_known_is_used() -> None:
    """A label without known_from is known from its date; a stated known_from holds over it."""
    small = load(SMALL)
    assert [label.scenario for label in labels_known(small, datetime.date(2020, 6, 14))] == ["calm"]
    assert len(labels_known(small, datetime.date(2020, 6, 15))) == 2
    assert drivers_known(small, datetime.date(2018, 7, 19)) == ()
    assert len(drivers_known(small, datetime.date(2018, 7, 20))) == 1
    assert masks_known(small, datetime.date(2019, 3, 31))[0].masks == ()
    assert masks_known(small, datetime.date(2019, 4, 1)) == small.streams


def test_labels_and_drivers_may_be_absent(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(SMALL, tmp_path / "nord è sud"))
    (copy / "labels.toml").unlink()
    text = (copy / "forecast.toml").read_text("utf-8")
    (copy / "forecast.toml").write_text(
        text.replace('future = "last"', 'use    = "what-if"'), "utf-8", newline=""
    )
    (copy / "drivers.csv").unlink()
    found = load(copy)
    assert (found.labels, found.drivers, found.name) == ((), (), "nord-e-sud")


def test_an_input_may_be_a_symlink_out_of_the_workspace(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(SMALL, tmp_path / "small"))
    outside = tmp_path / "counts of the office.csv"
    (copy / "data" / "counts.csv").rename(outside)
    try:
        (copy / "data" / "counts.csv").symlink_to(outside)
    except OSError:
        pytest.skip("this system makes no symlinks")
    assert load(copy).data_path("counts").read_bytes() == outside.read_bytes()


@pytest.mark.parametrize(
    ("models", "latent_from"),
    [
        ('use = ["regimes", "switching-level"]', "switching-level"),
        ('use = ["regimes"]\ncompare = ["local-level"]', "regimes"),
        ('use = ["regimes", "switching-level"]\nlatent_from = "regimes"', "regimes"),
    ],
)
def test_latent_regimes_come_from_one_model(tmp_path: Path, models: str, latent_from: str) -> None:
    copy = Path(shutil.copytree(SMALL, tmp_path / "small"))
    head, _, tail = (copy / "forecast.toml").read_text("utf-8").partition("[models]")
    rest = tail[tail.index("[sources.counts]") :]
    (copy / "forecast.toml").write_text(f"{head}[models]\n{models}\n{rest}", "utf-8", newline="")
    beliefs = (copy / "priors.toml").read_text("utf-8")
    for state in ("on", "off"):
        beliefs += (
            f'\n[persist.truce.{state}]\nkind = "interval"\nlow = 0.7\nhigh = 0.95\nmass = 0.9\n'
            'unit = "probability in a month"\nbecause = "Field experience."\n'
        )
    (copy / "priors.toml").write_text(beliefs, "utf-8", newline="")
    assert load(copy).latent_from == latent_from


def test_fewer_regimes_need_fewer_beliefs(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(SMALL, tmp_path / "small"))
    text = (copy / "forecast.toml").read_text("utf-8").replace("basis = 8", 'regimes = ["tense", "war"]')
    (copy / "forecast.toml").write_text(text, "utf-8", newline="")
    found = load(copy)
    assert found.regimes("switching-level") == ("tense", "war")
    assert found.regimes("regimes") == ("calm", "tense", "war")
    keys = needs("switching-level", scenarios=("tense", "war"), reference="tense", streams=found.streams)
    assert not [key for key in keys if key.endswith(".calm") or key.startswith("exits.")]


def test_the_settings_of_a_model_stand_beside_the_lists() -> None:
    """[models.<name>] is a table of settings, whatever its place among the keys."""
    small = load(SMALL)
    again = Configuration.model_validate(small.config.model_dump(by_alias=True, exclude={"models"}) | {
        "models": {"switching-level": {"basis": 3}, "use": ["switching-level"]},
        **{
            kind: {name: {k: v for k, v in table.items() if k != "id"} for name, table in entries.items()}
            for kind, entries in small.config.model_dump(by_alias=True).items()
            if kind in ("sources", "streams", "fronts", "drivers", "levers")
        },
    })  # fmt: skip
    assert again.models.settings["switching-level"].basis == 3
    assert again.streams == small.config.streams


def test_loading_waits_for_nothing_heavy() -> None:
    """What a refusal costs is the reading of the files: no sampler, no data frames."""
    code = (
        "import sys; from pathlib import Path; from forecast.workspace import load\n"
        f"load(Path({str(SMALL)!r}))\n"
        "heavy = {'pymc', 'pytensor', 'pandas', 'scipy', 'xarray', 'numba', 'arviz', 'preliz'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_schemas_are_the_same_every_time_and_name_every_key(tmp_path: Path) -> None:
    assert rendered() == rendered()
    found = schemas()
    assert set(found) == {"forecast", "scenarios", "priors", "labels"}
    stream = found["forecast"]["$defs"]["StreamDefinition"]
    assert "id" not in stream["properties"]
    assert set(stream["required"]) == {"source", "measure", "family", "effect"}
    assert "settings" not in found["forecast"]["$defs"]["Models"]["properties"]
    assert set(found["labels"]["$defs"]["Label"]["required"]) == {"months", "scenario", "ratio", "because"}
    written = write_schemas(tmp_path / "a" / ".schema")
    assert [json.loads(path.read_text("utf-8")) for path in written] == list(found.values())


@pytest.fixture(scope="module")
def catalogue():  # type: ignore[no-untyped-def]
    """The models themselves; importing them takes seconds."""
    return pytest.importorskip("models").CATALOGUE


def test_the_light_table_names_the_catalogue(catalogue) -> None:  # type: ignore[no-untyped-def]
    assert tuple(MODELS) == tuple(catalogue)
    assert {name: can.regimes for name, can in MODELS.items()} == {
        name: model.regimes is not None for name, model in catalogue.items()
    }


STREAMS = [
    ("negative-binomial", "walk", "increasing"),
    ("negative-binomial", "constant", "none"),
    ("poisson", "walk", "free"),
    ("zero-inflated-poisson", "constant", "decreasing"),
    ("hurdle-negative-binomial", "walk", "free"),
    ("gaussian", "constant", "free"),
    ("bernoulli", None, "free"),
    ("bernoulli", None, "none"),
]


@pytest.mark.parametrize("scenarios", [("calm", "tense"), ("calm", "tense", "war")])
@pytest.mark.parametrize("name", list(MODELS))
def test_the_light_table_asks_for_what_the_model_asks_for(
    catalogue, name: str, scenarios: tuple[str, ...]
) -> None:  # type: ignore[no-untyped-def]
    from models.contract import Setting, Stream

    definitions = [
        StreamDefinition(id=f"s{n}", source="x", measure="count", family=family, level=level, effect=effect)
        for n, (family, level, effect) in enumerate(STREAMS)
    ]
    streams = tuple(Stream(id=s.id, family=s.family, level=s.level, effect=s.effect) for s in definitions)
    setting = Setting(scenarios=scenarios, reference="tense", streams=streams, horizon=12)
    asked = needs(name, scenarios=scenarios, reference="tense", streams=definitions)
    assert len(set(asked)) == len(asked)
    assert set(asked) == set(catalogue[name].needs(setting))


@pytest.mark.skipif(not CONTRACT.is_dir(), reason="the contract is not beside this checkout")
def test_the_contract_loads_as_it_stands(tmp_path: Path) -> None:
    second = load(CONTRACT / "second")
    assert (second.latent_from, second.scenarios.ids) == ("regimes", ("quiet", "violent"))
    frontier = Path(shutil.copytree(CONTRACT / "frontier", tmp_path / "frontier"))
    for name in ("country_months", "picss_months", "chronology", "vintages"):
        path = frontier / "data" / f"{name}.csv"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = load(frontier)
    assert found.config.models.use == ("switching-level", "local-level")
    assert found.latent_from == "switching-level"


def test_a_text_that_names_a_theatre_means_the_theatre(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(SMALL, tmp_path / "frontier")
    monkeypatch.chdir(tmp_path)
    assert load("frontier").title == "Pakistan–Afghanistan frontier"
    assert load("./frontier").title == load(Path("frontier")).title == "A small theatre"


def test_a_refusal_in_the_bundled_beliefs_names_their_file() -> None:
    assert load("frontier").priors.source == "priors/frontier.toml"
    with pytest.raises(Refusal, match="theatre: got 'frontera'"):
        bundled_files("frontera")
