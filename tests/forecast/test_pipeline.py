"""What a run leaves is what the contract says, and one number is the same number in every file that shows it.

Fits are draws of the priors, so nothing is sampled; everything else is the real run.
"""

import csv
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pypdf
import pytest

from forecast.months import next_quarter, quarter_months, quarter_of, span
from forecast.pipeline import Run, run

type Json = Mapping[str, Any]

SMALL = Path(__file__).parents[1] / "workspaces" / "small"
ESTIMATE = {"mean", "q05", "q95", "mcse"}


@pytest.fixture(scope="module", params=["one model", "everything", "no regimes"])
def left(
    request: pytest.FixtureRequest,
    second: Callable[[Path], Path],
    quickly: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    """A run of the smallest workspace, of one that uses every table, and of one whose model has no regimes."""
    place = tmp_path_factory.mktemp("theatre") / "a théâtre"
    if (
        request.param == "everything"
    ):  # labels, drivers, levers, masks, a chronology, a model that is compared
        shutil.copytree(SMALL, place)
    else:
        second(place)
    if (
        request.param == "no regimes"
    ):  # and data that end inside a quarter, of which the last four years are learnt from
        edit(place / "forecast.toml", 'from = "2014-01"', 'from = "2014-01", months = 48')
        edit(place / "forecast.toml", '["regimes"]', '["local-level"]')
        edit(place / "forecast.toml", 'to = "2019-12"', 'to = "2019-11"')
        edit(place / "forecast.toml", "effect  =", 'level   = "walk"\neffect  =')
        beliefs = (place / "priors.toml").read_text("utf-8")
        wander = beliefs[beliefs.index("[level") : beliefs.index("[spread")]
        wander = wander.replace("level", "wander").replace("incidents per month", "percent per month")
        edit(place / "priors.toml", "[level", wander + "[level")
    with quickly():
        return run(place)


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8", newline="")


@pytest.fixture(scope="module")
def record(left: Run) -> Json:
    """The stored forecast.json; a NaN in it is no JSON and fails here."""

    def refuse(name: str) -> None:
        raise AssertionError(f"forecast.json holds {name}")

    return json.loads((left.path / "forecast.json").read_text("utf-8"), parse_constant=refuse)


def ids(record: Json) -> list[str]:
    return [scenario["id"] for scenario in record["scenarios"]]


def is_estimate(told: Json, *, within: tuple[float, float] = (0.0, 1.0)) -> None:
    """A mean inside its bounds, an interval in order, an error that is not negative; or all null."""
    if told["mean"] is None:
        assert set(told.values()) == {None}
        return
    low, high = within
    assert low - 1e-9 <= told["q05"] <= told["q95"] <= high + 1e-9
    assert low - 1e-9 <= told["mean"] <= high + 1e-9
    assert told.get("mcse", 0.0) >= 0.0


def is_law(row: Mapping[str, Json], names: list[str]) -> None:
    """A probability for each scenario, which add up to one."""
    assert list(row) == names
    for told in row.values():
        assert set(told) >= ESTIMATE
        is_estimate(told)
    assert sum(told["mean"] or 0.0 for told in row.values()) == pytest.approx(1.0, abs=1e-9)


def is_matrix(told: Json, size: int, *, per: str) -> None:
    """Rows that add up to one, or null for a scenario that was never left."""
    assert told["per"] == per
    for key in ("mean", "q05", "q95"):
        assert [len(row) for row in told[key]] == [size] * size
    for mean, low, high in zip(told["mean"], told["q05"], told["q95"], strict=True):
        if mean[0] is None:
            assert {*mean, *low, *high} == {None}
            continue
        assert sum(mean) == pytest.approx(1.0, abs=1e-9)
        assert all(0 <= a <= b <= 1 for a, b in zip(low, high, strict=True))


def test_every_key_of_the_contract_is_there(record: Json) -> None:
    assert record["schema"] == "scenariocast/forecast/1"
    assert set(record) >= {
        "schema", "run", "title", "issued_at", "as_of", "timing", "data_as_of", "origin", "scenarios", "now",
        "current_quarter", "quarters", "first_passage", "scenario_transitions", "transitions", "transitions_quarter",
        "dwell_months", "latent_from", "crosswalk", "history", "streams", "fronts", "priors", "models", "verdict",
        "provenance",
    }  # fmt: skip
    assert set(record["provenance"]) >= {
        "data_sha256",
        "priors_sha256",
        "scenarios_sha256",
        "seed",
        "versions",
    }
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}-[0-9a-f]{8}", record["run"])
    assert record["issued_at"] == "2021-02-01T00:00:00+00:00"


def test_every_quarter_ahead_is_a_law_over_the_scenarios(record: Json) -> None:
    expected = quarter_of(record["origin"])
    for quarter in record["quarters"]:
        expected = next_quarter(expected)
        assert quarter["quarter"] == expected
        is_law(quarter["resolved"], ids(record))
        if record["latent_from"] is None:
            assert quarter["regime"] is None
        else:
            is_law(quarter["regime"], ids(record))
    assert len(record["quarters"]) == (2 if "small" in record["title"] else 4)


def test_the_running_quarter_is_reported_only_where_one_runs(record: Json) -> None:
    running = record["current_quarter"]
    months = quarter_months(quarter_of(record["origin"]))
    if months[2] == record["origin"]:
        assert running is None
    else:
        assert running["quarter"] == quarter_of(record["origin"])
        assert (*running["observed_months"], *running["simulated_months"]) == months
        assert running["observed_months"][-1] == record["origin"]
        is_law(running["resolved"], ids(record))


def test_a_first_passage_only_grows_and_holds_each_quarter_s_own_chance(record: Json) -> None:
    passages = record["first_passage"]
    assert set(passages) == set(ids(record))
    for name, row in passages.items():
        if name == record["last_resolved"]["scenario"]:
            assert row is None
            continue
        assert [set(entry) for entry in row] == [{"quarter", "mean", "q05", "q95"}] * len(record["quarters"])
        means = [entry["mean"] for entry in row]
        assert means == sorted(means)
        for entry, quarter in zip(row, record["quarters"], strict=True):
            assert entry["quarter"] == quarter["quarter"]
            is_estimate(entry)
            if quarter["unresolved"] == 0:
                assert entry["mean"] >= quarter["resolved"][name]["mean"] - 1e-9


def test_matrices_are_stochastic(record: Json) -> None:
    names = ids(record)
    is_matrix(record["scenario_transitions"], len(names), per="quarter")
    latent = ("now", "transitions", "transitions_quarter", "dwell_months", "crosswalk")
    if record["latent_from"] is None:
        assert {str(record[key]) for key in latent} == {"None"}
        assert record["history"] == []
        return
    is_matrix(record["transitions"], len(names), per="month")
    is_matrix(record["transitions_quarter"], len(names), per="quarter")
    is_law(record["now"]["regime"], names)
    for told in record["dwell_months"].values():
        is_estimate(told, within=(1.0, np.inf))
    for row in record["crosswalk"]["mean"]:
        assert row[0] is None or sum(row) == pytest.approx(1.0, abs=1e-9)
    months = [entry["month"] for entry in record["history"]]
    assert months == list(span(record["window"]["from"], record["origin"]))
    for entry in record["history"]:
        assert sum(entry["regime"].values()) == pytest.approx(1.0, abs=1e-9)


def test_streams_run_month_by_month_from_the_window_to_the_last_quarter(record: Json) -> None:
    last = quarter_months(record["quarters"][-1]["quarter"])[2]
    for rows in record["streams"].values():
        assert [row["month"] for row in rows] == list(span(record["window"]["from"], last))
        for row in rows:
            fan = [row[key] for key in ("q05", "q25", "q50", "q75", "q95")]
            if row["month"] > record["origin"]:
                assert row["observed"] is None
                assert fan == sorted(fan)
                assert fan[0] >= 0
            else:
                assert row["observed"] is None or set(fan) == {None}


def test_questions_rest_on_the_whole_window_however_little_of_it_is_learnt_from(record: Json) -> None:
    """A window that moves on with the data must not make another question of the same quarter."""
    first = {"A small theatre": "2018-01"}.get(record["title"], "2014-01")
    assert record["answer_key"]["window_from"] == first
    months = span(record["window"]["from"], record["window"]["to"])
    assert len(months) == 48 if record["window"]["to"] == "2019-11" else months[0] == first


def test_beliefs_models_and_checks_say_what_they_are(record: Json) -> None:
    for prior in record["priors"]:
        assert all(prior[key] for key in ("key", "says", "because", "author", "date", "source"))
        assert prior["prior"]["q05"] <= prior["prior"]["q50"] <= prior["prior"]["q95"]
    weights = [model["weight"] for model in record["models"]]
    assert sum(weights) == pytest.approx(1.0)
    for verdict in (record["verdict"], *(model["verdict"] for model in record["models"])):
        assert verdict["ok"] == all(check["ok"] for check in verdict["checks"])
        assert all(set(check) == {"name", "value", "limit", "ok", "advice"} for check in verdict["checks"])


def test_scenarios_come_in_their_order_with_their_precedents(record: Json) -> None:
    assert [scenario["order"] for scenario in record["scenarios"]] == list(range(len(ids(record))))
    resolved = [row["resolved"] for row in record["resolved_history"]]
    for scenario in record["scenarios"]:
        assert scenario["precedents"] == resolved.count(scenario["id"])
    if record["latent_from"] is not None:
        months = sum(scenario["support_months"] for scenario in record["scenarios"])
        assert months == pytest.approx(len(record["history"]), abs=1e-6)


def test_the_manifest_holds_the_hash_of_every_file(left: Run) -> None:
    manifest = json.loads((left.path / "manifest.json").read_text("utf-8"))
    files = {file.relative_to(left.path).as_posix(): file for file in left.path.rglob("*") if file.is_file()}
    hashes = {
        name: sha256(file.read_bytes()).hexdigest() for name, file in files.items() if name != "manifest.json"
    }
    assert manifest["outputs"] == hashes
    root = left.path.parents[1]
    for name, told in manifest["inputs"].items():
        assert sha256((root / name).read_bytes()).hexdigest() == told
    assert {"forecast.toml", "scenarios.toml", "priors.toml", "data/counts.csv"} <= set(manifest["inputs"])


def test_the_run_it_returns_is_the_one_it_stored(left: Run, record: Json) -> None:
    assert json.loads(json.dumps(left.record)) == record
    assert left.id == record["run"] == left.path.name
    assert [file.name for file in left.reports] == ["report.html", "report.pdf", "report.ipynb"]
    assert all(file.is_file() for file in left.reports)


class Rows(HTMLParser):
    """The rows of a table of the page: their words, and the numbers behind the words."""

    def __init__(self, text: str, key: str = "probabilities") -> None:  # noqa: D107
        super().__init__()
        self.key = key
        self.rows: list[tuple[str, list[float]]] = []
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: D102
        said = dict(attrs)
        if tag == "table":
            self.inside = said.get("id") == f"table-{self.key}"
        elif tag == "tr" and self.inside:
            self.rows.append(("", []))
        elif tag == "data" and self.inside:
            self.rows[-1][1].append(float(said["value"] or "nan"))

    def handle_endtag(self, tag: str) -> None:  # noqa: D102
        self.inside = self.inside and tag != "table"

    def handle_data(self, text: str) -> None:  # noqa: D102
        if self.inside and self.rows:
            self.rows[-1] = (self.rows[-1][0] + text, self.rows[-1][1])


def closed_up(text: str) -> str:
    """Without white space and joiners: a page may break a line wherever it likes."""
    return re.sub(r"[\s\u2060]+", "", text)


def estimates(record: Json) -> Iterator[tuple[str, Json]]:
    """Every probability of the headline with the words that lead its row."""
    titles = {scenario["id"]: scenario["title"] for scenario in record["scenarios"]}
    for quarter in record["quarters"]:
        for name, told in quarter["resolved"].items():
            yield closed_up(quarter["quarter"] + titles[name]), told


def percent(text: str) -> tuple[float, float]:
    """The probabilities that a printed percent may stand for, to one point either side."""
    number = float(text.removeprefix("under").removeprefix("over"))
    if text.startswith("under"):
        return 0.0, number / 100
    return (number / 100, 1.0) if text.startswith("over") else ((number - 1) / 100, (number + 1) / 100)


def test_every_format_shows_the_same_numbers(left: Run, record: Json) -> None:
    """Each probability of each quarter with its interval: read from web page, PDF and notebook, held to the JSON."""
    page = {
        closed_up(text): numbers
        for text, numbers in Rows((left.path / "report.html").read_text("utf-8")).rows
    }
    pdf = closed_up(
        "".join(sheet.extract_text() for sheet in pypdf.PdfReader(left.path / "report.pdf").pages)
    )
    cells = json.loads((left.path / "report.ipynb").read_text("utf-8"))["cells"]
    notebook = closed_up("".join("".join(cell["source"]) for cell in cells))
    seen = 0
    for lead, told in estimates(record):
        row, numbers = next((text, numbers) for text, numbers in page.items() if text.startswith(lead))
        assert numbers[:3] == [told["mean"], told["q05"], told["q95"]]
        shown = re.match(
            r"((?:under|over)?\d+)%((?:under|over)?\d+)(?:–((?:under|over)?\d+))?%", row[len(lead) :]
        )
        assert shown, row
        for text, value in zip((shown[1], shown[2], shown[3] or shown[2]), numbers, strict=False):
            low, high = percent(text)
            assert low <= value <= high
        mean, interval = f"{shown[1]}%", f"{shown[2]}{f'–{shown[3]}' if shown[3] else ''}%"
        assert f"{lead}{mean}{interval}" in pdf
        assert f"|{lead}|{mean}|{interval}|" in notebook
        seen += 1
    assert seen == len(record["quarters"]) * len(ids(record))


def test_every_format_shows_the_same_levers(left: Run, record: Json) -> None:
    """Both sides of each lever and their difference, held to the JSON; the page's words stand in PDF and notebook."""
    text = (left.path / "report.html").read_text("utf-8")
    pdf = closed_up(
        "".join(sheet.extract_text() for sheet in pypdf.PdfReader(left.path / "report.pdf").pages)
    )
    cells = json.loads((left.path / "report.ipynb").read_text("utf-8"))["cells"]
    notebook = closed_up("".join("".join(cell["source"]) for cell in cells)).replace("|", "")
    written = iter(rows_of(left, "levers.csv"))
    for lever in record["levers"]:
        rows = [row for row in Rows(text, f"lever-{lever['id']}").rows if row[1]]
        assert len(rows) == len(lever["quarters"]) == len(record["quarters"])
        for (words, numbers), entry, quarter in zip(rows, lever["quarters"], record["quarters"], strict=True):
            expected = []
            for name, cell in entry["resolved"].items():
                gap, published = cell["difference"], quarter["resolved"][name]
                assert cell["unconditional"] == {
                    key: published[key] for key in ("mean", "q05", "q95", "mcse")
                }
                assert cell["conditional"]["mean"] - published["mean"] == pytest.approx(
                    gap["mean"], abs=1e-12
                )
                assert gap["mcse"] < 0.005
                expected += [
                    published["mean"],
                    cell["conditional"]["mean"],
                    *(gap[k] for k in ("mean", "q05", "q95")),
                ]
                assert float(next(written)["difference"]) == gap["mean"]
            assert numbers == expected
            assert closed_up(words) in pdf
            assert closed_up(words) in notebook
        assert all(belief["because"] for belief in lever["beliefs"])
    assert next(written, None) is None


def test_every_format_shows_the_same_track_signposts_and_sensitivities(left: Run, record: Json) -> None:
    """Each number of their tables is one of the JSON, and each row's words stand in web page, PDF and notebook."""
    text = (left.path / "report.html").read_text("utf-8")
    pdf = closed_up(
        "".join(sheet.extract_text() for sheet in pypdf.PdfReader(left.path / "report.pdf").pages)
    )
    cells = json.loads((left.path / "report.ipynb").read_text("utf-8"))["cells"]
    notebook = closed_up("".join("".join(cell["source"]) for cell in cells)).replace("|", "")
    signs, found = record["signposts"], record["sensitivity"]
    keys = ("count", "chance", "before", "after", "otherwise")
    stated = {
        "signposts": [[sign[key] for key in keys] for sign in signs],
        "sensitivity": [one["sensitivity"] for one in found["groups"]],
        "tipping": [[one[key] for key in ("stated", "tips_at", "now")] for one in found["tipping"]],
    }
    known = {name: set(np.ravel(np.array(rows, float))) for name, rows in stated.items()}
    for name in stated:
        rows = [row for row in Rows(text, name).rows if row[1]]
        assert rows or name != "sensitivity"
        for words, numbers in rows:
            assert set(numbers) <= known[name]
            bare = closed_up(words).replace("**", "")
            assert bare in notebook.replace("**", "")
            assert all(closed_up(word) in pdf for word in words.split())
    for place in (closed_up(re.sub("<[^>]+>", "", text)), pdf, notebook):
        assert closed_up(record["track"]["sentence"]).replace("'", "") in place.replace("&#39;", "").replace(
            "'", ""
        )


def test_the_notebook_derives_the_headline_from_the_stored_draws(
    left: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own cells compare what they derive with forecast.json, and raise where the two differ."""
    monkeypatch.chdir(left.path)
    space: dict[str, Any] = {}
    for cell in json.loads((left.path / "report.ipynb").read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "code" and "from arviz import" not in "".join(cell["source"]):
            exec(compile("".join(cell["source"]), "cell", "exec"), space)
    assert len(space["table"]) >= len(left.record["quarters"]) * len(left.record["scenarios"])


def rows_of(left: Run, name: str) -> list[dict[str, str]]:
    with (left.path / "tables" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_tables_read_back_as_the_record(left: Run, record: Json) -> None:
    read = {
        (row["quarter"], row["what"], row["scenario"]): row["mean"]
        for row in rows_of(left, "probabilities.csv")
    }
    for quarter in record["quarters"]:
        for what in ("resolved", "regime"):
            for name, told in (quarter[what] or {}).items():
                written = read.pop((quarter["quarter"], what, name))
                assert (None if written == "" else float(written)) == told["mean"]
    assert not read
    assert [row["name"] for row in rows_of(left, "checks.csv")] == [
        c["name"] for c in record["verdict"]["checks"]
    ]
    assert [row["because"] for row in rows_of(left, "priors.csv")] == [p["because"] for p in record["priors"]]
    assert len(rows_of(left, "streams.csv")) == sum(len(rows) for rows in record["streams"].values())
    assert [row["quarter"] for row in rows_of(left, "rule_history.csv")] == [
        row["quarter"] for row in record["resolved_history"]
    ]
    assert len(rows_of(left, "scenario_transitions.csv")) == len(ids(record)) ** 2


def test_the_hub_file_holds_laws_quantiles_and_joint_samples(left: Run, record: Json) -> None:
    file = next((left.path / "model-output").rglob("*.parquet"))
    hub = pd.read_parquet(file)
    assert not hub.isna().any(axis=None)
    assert not hub.duplicated([column for column in hub.columns if column != "value"]).any()
    task = ["target", "location", "horizon", "target_end_date"]
    for _, law in hub[hub["output_type"] == "pmf"].groupby("horizon"):
        assert list(law["output_type_id"]) == ids(record)
        assert law["value"].sum() == pytest.approx(1.0, abs=1e-9)
    counts = hub[hub["target"] != "scenario"]
    assert set(counts["target"]) == set(record["streams"])
    for _, cell in counts.groupby(task):
        levels = cell[cell["output_type"] == "quantile"]
        assert levels["output_type_id"].astype(float).is_monotonic_increasing
        assert levels["value"].is_monotonic_increasing
        samples = cell[cell["output_type"] == "sample"]
        assert len(samples) == samples["output_type_id"].nunique() == 1000
        assert (samples["value"] >= 0).all()
    horizons = counts["horizon"].nunique()
    last = quarter_months(record["quarters"][-1]["quarter"])[2]
    assert horizons == len(span(record["origin"], last)) - 1
    assert file.name.startswith(counts["origin_date"].iloc[0])
