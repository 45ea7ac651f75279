"""From a live forecast to its track record through the commands, and out again in formats that others read."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import hubdata
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from forecast import archive, score
from forecast import ledger as book
from forecast.cli import main
from forecast.months import quarter_months
from forecast.pipeline import run
from forecast.publish import digest
from forecast.replay import replay
from forecast.rules import resolve_many
from forecast.workspace import load

SMALL = Path(__file__).parents[2] / "workspaces" / "small"
JULY, APRIL = 1_627_776_000, 1_618_000_000  # 1 August and 9 April 2021
NEWER = (
    "2021-02-01,2021-02-12,clash,North,,Exchange of fire,exact,https://example.org/8,2021-02-13\n"
    "2021-05-03,2021-05-04,clash,North,,Exchange of fire,exact,https://example.org/9,2021-05-05\n"
)
BY_HAND = ["--because", "The desk was closed.", "--set-by", "desk"]


@pytest.fixture(scope="module")
def published(quickly: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one live forecast of 2021Q1 and Q2, and a newer chronology beside it."""
    root = tmp_path_factory.mktemp("kept") / "small"
    shutil.copytree(SMALL, root)
    stated = (
        (root / "forecast.toml").read_text("utf-8").replace("as_of    = 2021-01-31", 'as_of    = "today"')
    )
    (root / "forecast.toml").write_text(stated, encoding="utf-8", newline="")
    with quickly():
        assert run(root).record["timing"] == "live"
    (root / "newer.csv").write_text(
        (root / "data" / "chronology.csv").read_text("utf-8") + NEWER, encoding="utf-8", newline=""
    )
    return root


@pytest.fixture
def root(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy to be changed, on 1 August 2021."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(JULY))
    return Path(shutil.copytree(published, tmp_path / "small"))


def resolve(root: Path, *more: str) -> int:
    return main(["ledger", "resolve", str(root), *more])


def newer(root: Path) -> list[str]:
    return ["--data", f"desk={root / 'newer.csv'}", "--coverage", "2018-01..2021-07"]


def ids(root: Path) -> list[str]:
    return [question.id for question in book.questions(root / "ledger.sqlite", on=date(2021, 8, 1))]


def test_a_forecast_is_resolved_and_scored_in_one_command(root, capsys, monkeypatch):
    assert resolve(root) == 0
    assert "the data end in 2020-12" in capsys.readouterr().out
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(APRIL))
    assert resolve(root, *newer(root), "--json") == 0
    (one,) = json.loads(capsys.readouterr().out)  # the second quarter is open
    assert (one["quarter"], one["outcome"], one["reason"]) == (
        "2021Q1",
        None,
        "its figures are expected by 2021-04-30",
    )
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(JULY))
    assert resolve(root, *newer(root)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [
        ["2021Q1", "first", "war"],
        ["2021Q2", "first", "tense"],
    ]
    assert main(["ledger", "score", str(root)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("After 2 resolved quarters")
    assert "two forecasts of two quarters (2021Q1 to 2021Q2)" in told
    assert "markov-chain" in told
    assert "priors-alone" in told
    assert main(["ledger", "verify", str(root)]) == 0


def test_a_live_run_is_made_again_as_it_was_years_later(root, quickly):
    with quickly(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("forecast.clock.wall", lambda: datetime(2026, 7, 1, tzinfo=UTC))
        found = replay(archive.read(next((root / "runs").glob("20*"))), load(root))
        assert (found.ok, found.differing) == (True, ())
        afterwards = run(root, output=root / "afterwards")
    assert afterwards.record["timing"] == "retrospective"  # the same moment, set by hand
    assert afterwards.record["as_of"] == "2021-02-01"


def test_resolving_again_changes_nothing(root):
    assert resolve(root, *newer(root)) == 0
    head = book.head(root / "ledger.sqlite")
    assert resolve(root, *newer(root)) == 0
    assert book.head(root / "ledger.sqlite") == head


def test_an_empty_record_says_so(root, capsys):
    assert main(["ledger", "score", str(root)]) == 0
    assert capsys.readouterr().out.startswith(
        "Nothing has resolved yet: nothing can be said of this record's skill."
    )
    assert main(["ledger", "score", str(root), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["resolved"], found["against"]) == (0, [])


def test_the_standing_is_told_without_a_sampler(root):
    code = (
        "import sys; from forecast.cli import main; assert main(['ledger', 'score', sys.argv[1]]) == 0; "
        "heavy = {'pymc', 'pytensor', 'numba', 'models'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code, str(root)], stdout=subprocess.DEVNULL, check=True)


def test_a_person_may_answer_with_a_reason_and_correct_it(root, capsys):
    question = ids(root)[0]
    assert resolve(root, "--question", question, "--outcome", "ambiguous", *BY_HAND) == 0
    entry = book.head(root / "ledger.sqlite").count
    assert f"entry {entry}: {question} is ambiguous" in capsys.readouterr().out
    assert resolve(root, "--question", question, "--outcome", "war", *BY_HAND) == 2
    assert f"entry {entry} resolves it as ambiguous; name it as superseded" in capsys.readouterr().err
    assert (
        resolve(root, "--question", question, "--outcome", "war", *BY_HAND, "--supersedes", str(entry)) == 0
    )
    capsys.readouterr()
    assert main(["ledger", "score", str(root)]) == 0
    told = capsys.readouterr().out
    assert "superseded" in told
    assert "one forecast of one quarter (2021Q1)" in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["resolve", "--outcome", "war", *BY_HAND], "--question"),
        (["resolve", "--question", "x", "--outcome", "war", "--set-by", "desk"], "--because"),
        (["resolve", "--question", "x", "--outcome", "war", *BY_HAND], "a question of this ledger"),
        (
            ["resolve", "--because", "The desk was closed."],
            "--because: got 'The desk was closed.'; wanted --question",
        ),
        (["resolve", "--release", "annual"], "--release: got 'annual'; wanted --question"),
        (["resolve", "--supersedes", "3"], "--supersedes: got 3; wanted --question"),
        (["resolve", "--data", "newer.csv"], "source=file"),
        (["resolve", "--data", "dsk=newer.csv"], "did you mean 'desk'"),
        (["resolve", "--data", "desk=absent.csv"], "absent.csv"),
        (["resolve", "--coverage", "2018-01..2021-06"], "--data"),
        (["resolve", "--as-of", "2031-01-01"], "a date up to 2021-08-01"),
        (["export", "--format", "cvs"], "did you mean 'csv'"),
        (["export", "--format", "csv"], "--to"),
        (["export", "--format", "hub", "--to", "{root}"], "new or empty"),
    ],
)
def test_mistakes_have_their_line_and_change_nothing(root, capsys, arguments, message):
    before = book.head(root / "ledger.sqlite")
    verb, *rest = (text.replace("{root}", str(root)) for text in arguments)
    assert main(["ledger", verb, str(root), *rest]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert len(said.splitlines()) == 1
    assert book.head(root / "ledger.sqlite") == before


def test_a_misspelt_release_leaves_no_second_answer(root, capsys):
    question = ids(root)[0]
    assert resolve(root, "--question", question, "--outcome", "war", *BY_HAND) == 0
    before = book.head(root / "ledger.sqlite")
    assert resolve(root, "--question", question, "--outcome", "calm", *BY_HAND, "--release", "anual") == 2
    assert "did you mean 'annual'" in capsys.readouterr().err
    assert book.head(root / "ledger.sqlite") == before


@pytest.mark.parametrize(
    "damage",
    [
        "update entry set payload = replace(payload, 'A small theatre', 'Another theatre') where seq = 1",
        "update entry set payload = '{}' where seq = 1",
        "update entry set payload = '[]' where seq = 2",
    ],
)
def test_nothing_is_read_from_a_ledger_that_was_tampered_with(root, tmp_path, capsys, damage):
    run_name, question, file = next((root / "runs").glob("20*")).name, ids(root)[0], root / "ledger.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        seal = "select sql from sqlite_schema where name = 'entry_is_final'"
        (text,) = connection.execute(seal).fetchone()
        connection.executescript(f"drop trigger entry_is_final; {damage}; {text};")
    before = file.read_bytes()
    by_hand = ["--question", question, "--outcome", "war", *BY_HAND]
    exports = [
        ["export", "--format", name, "--to", str(tmp_path / name)]
        for name in ("csv", "parquet", "hub", "jsonl")
    ]
    for verb, *more in (
        ["list"],
        ["score"],
        ["show", run_name],
        ["resolve"],
        ["resolve", *by_hand],
        *exports,
    ):
        given = [more.pop(0)] if verb == "show" else []
        assert main(["ledger", verb, *given, str(root), *more]) == 2
        said = capsys.readouterr().err
        assert "is not what was recorded" in said
        assert "wanted a sound ledger" in said
        assert len(said.splitlines()) == 1
    assert file.read_bytes() == before
    assert not any((tmp_path / name).exists() for name in ("csv", "parquet", "hub", "jsonl"))


def test_two_theatres_of_one_ledger_are_told_apart(root, capsys):
    """The second is the first under another title, its outcomes other than the figures say."""
    file = root / "ledger.sqlite"
    record = json.loads(book.entries(file)[0].payload)
    other = json.dumps({**record, "run": "other", "title": "Another theatre"})
    book.append_forecast(file, other, issued_at=record["issued_at"])
    assert resolve(root, *newer(root)) == 0
    assert capsys.readouterr().out.count("asked by “Another theatre”") == 2
    by_hand = ["--question", ids(root)[2], "--outcome", "calm", *BY_HAND]
    assert resolve(root, *by_hand) == 0
    capsys.readouterr()
    assert main(["ledger", "score", str(root)]) == 0
    another, own = capsys.readouterr().out.split("\nA small theatre\n")
    assert another.startswith("Another theatre\n\nAfter 1 resolved quarter ")
    assert own.startswith("\nAfter 2 resolved quarters ")
    assert "set aside" not in another + own
    assert main(["ledger", "score", str(root), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(one["title"], one["scored"]) for one in (told, *told["others"])] == [
        ("Another theatre", 1),
        ("A small theatre", 2),
    ]


def test_two_that_resolve_at_once_leave_one_answer_each(root, capsys):
    with ThreadPoolExecutor(2) as pool:
        codes = list(pool.map(lambda _: resolve(root, *newer(root)), range(2)))
    assert sorted(codes) in ([0, 0], [0, 2])
    assert all("resolves it as" in line for line in capsys.readouterr().err.splitlines())
    assert [answer.kind for answer in book.answers(root / "ledger.sqlite")] == ["resolution"] * 2
    assert book.verify(root / "ledger.sqlite").ok


def test_any_byte_of_a_resolved_record_that_differs_is_found(root):
    resolve(root, *newer(root))
    text = book.export(root / "ledger.sqlite")
    tail = len(text) - 3000
    assert '"kind":"resolution"' in text[tail:]
    for at in range(tail, len(text), 23):
        assert not book.verify_export(text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]).ok


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_scores_can_be_made_again_from_the_tables(root, tmp_path, capsys, format):
    resolve(root, *newer(root))
    to = tmp_path / "tables"
    assert main(["ledger", "export", str(root), "--format", format, "--to", str(to)]) == 0
    read = pd.read_csv if format == "csv" else pd.read_parquet
    forecasts, answers, scores = (
        read(to / f"{name}.{format}") for name in ("forecasts", "answers", "scores")
    )
    for row in scores[scores["forecaster"] == "issued"].itertuples():
        told = forecasts[(forecasts["run"] == row.run) & (forecasts["quarter"] == row.quarter)]
        outcome = answers[answers["question"] == row.question]["outcome"].item()
        p = dict(zip(told["scenario"], told["mean"] / told["mean"].sum(), strict=True))
        came = np.array([name == outcome for name in p])
        values = np.array(list(p.values()))
        assert row.ign == pytest.approx(-np.log2((1 - 0.003) * p[outcome] + 0.001))
        assert row.brier == pytest.approx(((values - came) ** 2).sum())
        assert row.rps == pytest.approx((np.cumsum(values - came)[:-1] ** 2).sum() / 2)
    uniform = scores[scores["forecaster"] == "uniform"]
    assert uniform["ign"].to_numpy() == pytest.approx(-np.log2(0.997 / 3 + 0.001))


def test_a_hub_is_read_by_its_own_configuration_and_gives_the_scores_again(root, tmp_path):
    resolve(root, *newer(root))
    to = tmp_path / "hub"
    assert main(["ledger", "export", str(root), "--format", "hub", "--to", str(to)]) == 0
    rows = read_hub(to)
    assert set(rows["output_type"]) == {"pmf", "quantile", "sample"}
    line = next(one for one in book.track_record(root / "ledger.sqlite") if one.horizon == 1)
    pmf = rows[(rows["output_type"] == "pmf") & (rows["horizon"] == 1)]
    rules = load(root).scenarios
    p = [pmf.loc[pmf["output_type_id"] == name, "value"].item() for name in rules.ids]
    assert float(score.ign(p, rules.ids.index(line.outcome))) == pytest.approx(line.ign, rel=1e-6)
    samples = rows[rows["output_type"] == "sample"]
    futures = samples.pivot(index=["output_type_id"], columns=["target", "target_end_date"], values="value")
    streams, months = list(rules.streams), quarter_months(line.quarter)
    values = np.stack(
        [[futures[s][f"{m}-{pd.Period(m).days_in_month}"].to_numpy() for m in months] for s in streams]
    )  # [stream, month, sample]
    places = resolve_many(
        rules, np.moveaxis(values, 2, 0), streams=streams, months=months, window_ends=[months[2]]
    )[:, 0]
    share = np.bincount(places, minlength=3) / len(places)
    assert share == pytest.approx(p, abs=4 * np.sqrt(0.25 / len(places)))


def test_a_run_whose_folder_is_gone_is_told_from_the_ledger(root, tmp_path, capsys):
    run_folder = next((root / "runs").glob("20*"))
    file = next(run_folder.glob("model-output/*/*.parquet"))
    file.write_bytes(file.read_bytes() + b"x")
    assert main(["ledger", "export", str(root), "--format", "hub", "--to", str(tmp_path / "no")]) == 2
    assert "a file that changed" in capsys.readouterr().err
    shutil.rmtree(run_folder)
    assert main(["ledger", "export", str(root), "--format", "hub", "--to", str(tmp_path / "hub")]) == 0
    rows = read_hub(tmp_path / "hub")
    assert set(rows["output_type"]) == {"pmf", "quantile"}


def with_pmf(file: Path, change: Callable[[pd.Series], pd.Series]) -> None:
    """Change the probabilities of a run's hub file, and its manifest with them."""
    rows, manifest = pd.read_parquet(file), file.parents[2] / "manifest.json"
    pmf = rows["output_type"] == "pmf"
    rows.loc[pmf, "value"] = change(rows.loc[pmf, "value"])
    old = digest(file)
    rows.to_parquet(file, index=False)
    manifest.write_text(manifest.read_text("utf-8").replace(old, digest(file)), encoding="utf-8", newline="")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda file: (file.parents[2] / "manifest.json").unlink(), "manifest.json"),
        (lambda file: (file.parents[2] / "manifest.json").write_text("{", "utf-8"), "manifest.json"),
        (
            lambda file: with_pmf(file, lambda p: p.iloc[::-1].to_numpy()),
            "other probabilities than the ledger's",
        ),
    ],
    ids=["no manifest", "half a manifest", "other probabilities"],
)
def test_a_hub_is_written_whole_or_not_at_all(root, tmp_path, capsys, damage, told):
    file, to = next(root.glob("runs/20*/model-output/*/*.parquet")), tmp_path / "out" / "hub"
    to.mkdir(parents=True)
    damage(file)
    assert main(["ledger", "export", str(root), "--format", "hub", "--to", str(to)]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert len(said.splitlines()) == 1
    assert list(to.parent.rglob("*")) == [to]


def test_an_empty_folder_becomes_the_hub(root, tmp_path):
    to = tmp_path / "hub"
    to.mkdir()
    with_pmf(next(root.glob("runs/20*/model-output/*/*.parquet")), lambda p: p)
    assert main(["ledger", "export", str(root), "--format", "hub", "--to", str(to)]) == 0
    assert sorted(path.name for path in to.iterdir()) == ["hub-config", "model-output"]


def test_the_hubverse_s_own_reader_finds_the_numbers_of_the_forecast(root, tmp_path):
    """Every mean and quantile of ``forecast.json`` that a hub has a place for, and samples of the same law."""
    to = tmp_path / "hub"
    assert main(["ledger", "export", str(root), "--format", "hub", "--to", str(to)]) == 0
    hub = hubdata.connect_hub(to)
    rows = hub.get_dataset().to_table().to_pandas()
    assert hub.schema.field("origin_date").type == hub.schema.field("target_end_date").type == pa.date32()
    assert set(rows["model_id"]) == {"scenariocast-a_small_theatre"}
    assert set(rows["location"]) == {"a-small-theatre"}
    record = json.loads(next((root / "runs").glob("20*/forecast.json")).read_text("utf-8"))
    told = rows.set_index(["output_type", "target", "horizon", "output_type_id"])["value"].sort_index()
    for h, ahead in enumerate(record["quarters"], start=1):
        means = {name: cell["mean"] for name, cell in ahead["resolved"].items()}
        assert told["pmf", "scenario", h].to_dict() == pytest.approx(
            {name: p / sum(means.values()) for name, p in means.items()}
        )
    fans = {"q05": "0.05", "q25": "0.25", "q50": "0.5", "q75": "0.75", "q95": "0.95"}
    for stream, cells in record["streams"].items():
        ahead = cells[-rows.loc[rows["target"] == stream, "horizon"].max() :]
        assert ahead[0]["month"] == "2021-01"
        for h, cell in enumerate(ahead, start=1):
            quantiles, sample = told["quantile", stream, h], told["sample", stream, h]
            for (
                key,
                level,
            ) in fans.items():  # two samples of one mixture: a count may lie one beside the other
                assert quantiles[level] == pytest.approx(cell[key], rel=0.1, abs=1)
                below, at = (sample < cell[key]).mean(), (sample <= cell[key]).mean()
                assert below - 0.08 <= float(level) <= at + 0.08


def read_hub(to: Path) -> pd.DataFrame:
    """A strict reader: column types by ``tasks.json``, as hub clients infer them, and every rule of a submission."""
    tasks = json.loads((to / "hub-config" / "tasks.json").read_text("utf-8"))
    admin = json.loads((to / "hub-config" / "admin.json").read_text("utf-8"))
    assert admin["file_format"] == ["parquet"]
    assert ZoneInfo(admin["timezone"]).utcoffset(datetime(2026, 7, 1)) == timedelta(0)
    required = {"schema_version", "name", "maintainer", "contact", "repository", "file_format", "timezone"}
    assert set(admin) == required  # of version 6 of the schema, which allows no others unasked
    (round_,) = tasks["rounds"]
    schema = pa.schema(
        [("origin_date", pa.date32()), ("target", pa.string()), ("location", pa.string()), ("horizon", pa.int32()),
         ("target_end_date", pa.date32()), ("output_type", pa.string()), ("output_type_id", pa.string()),
         ("value", pa.float64())]
    )  # fmt: skip
    files = sorted((to / "model-output").rglob("*.parquet"))
    for file in files:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d-[a-z0-9_]+-[a-z0-9_]+\.parquet", file.name)
        assert file.name == f"{file.name[:10]}-{file.parent.name}.parquet"
        assert ds.dataset(file).schema.equals(schema)
    rows = ds.dataset([str(file) for file in files], schema=schema).to_table().to_pandas()
    rows = rows.astype({"origin_date": str, "target_end_date": str})
    assert not rows.isna().any().any()
    assert not rows.duplicated(schema.names[:-1]).any()
    groups = round_["model_tasks"]
    for (target, kind), part in rows.groupby(["target", "output_type"]):
        (group,) = (g for g in groups if target in g["task_ids"]["target"]["optional"])
        for key, allowed in group["task_ids"].items():
            assert set(part[key]) <= set(allowed["optional"])
        task = part.groupby(["origin_date", "location", "horizon"])
        said = group["output_type"][kind]
        if kind == "pmf":
            assert all(
                set(one) == set(said["output_type_id"]["required"]) for _, one in task["output_type_id"]
            )
            assert task["value"].sum().to_numpy() == pytest.approx(1.0)
        elif kind == "quantile":
            levels = part.assign(level=part["output_type_id"].astype(float))
            assert set(levels["level"]) == set(said["output_type_id"]["required"])
            for _, one in levels.sort_values("level").groupby(["origin_date", "location", "horizon"]):
                assert one["value"].is_monotonic_increasing
        else:
            most = said["output_type_id_params"]["max_samples_per_task"]
            assert task.size().max() <= most
    return rows
