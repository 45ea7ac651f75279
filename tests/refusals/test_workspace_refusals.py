"""One mistake in a workspace that runs: one line that names the file, the key, what came and what was wanted."""

import shutil
from pathlib import Path

import pytest

from forecast.workspace import load
from priors import Refusal

SMALL = Path(__file__).parents[1] / "workspaces" / "small"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A copy of a workspace that loads, in a folder with a space and an accent."""
    return Path(shutil.copytree(SMALL, tmp_path / "théâtre du nord"))


def edit(small: Path, file: str, old: str, new: str) -> None:
    """One mistake: the first `old` of a file becomes `new`."""
    text = (small / file).read_text("utf-8")
    assert old in text
    (small / file).write_text(text.replace(old, new, 1), "utf-8", newline="")


FORECAST = [
    ("schema = 1", "schema = 2", r"forecast.toml: schema: got 2; .*needs scenariocast ≥"),
    ("schema = 1", 'schema = "1"', r"forecast.toml: schema: got '1'; wanted schema = 1"),
    ("schema = 1\n", "", r"schema: wanted schema = 1; add the line"),
    ("title  =", "titel  =", r"titel \(line 2\): got 'titel'; .*did you mean 'title'\?"),
    ('title  = "A small theatre"', 'title  = ""', r"title \(line 2\): got ''; wanted the title"),
    ("[time]", "[tiem]", r"tiem \(line 4\).*did you mean 'time'\?"),
    ('{ from = "2018-01" }\nas_of', '{ form = "2018-01" }\nas_of', r"time.window.form \(line 5\).*'from'"),
    ('{ from = "2018-01" }\nas_of', '{ from = "2018-13" }\nas_of', r"time.window.from.*'2018-13'; wanted a month"),
    ('{ from = "2018-01" }\nas_of', '{ from = "0202-01" }\nas_of', r"time.window.from.*'0202-01'; wanted a month"),
    ('{ from = "2018-01" }\nas_of', '{ from = "2018-01", to = "2017-01" }\nas_of', r"the window ends \(2017-01\) before"),
    ('{ from = "2018-01" }\nas_of', '"2018-01"\nas_of', r"time.window .*'2018-01'; wanted the months the models learn"),
    ("2021-01-31", '"2021-01-31"', r"time.as_of \(line 6\): got '2021-01-31'; wanted a date such as .* without quotes"),
    ("2021-01-31", '"tomorrow"', r"time.as_of .*'tomorrow'; wanted .*\"today\" for a live run"),
    ("2021-01-31", "2021-02-31", r"line 6: got 'as_of    = 2021-02-31'; wanted valid TOML"),
    ("2021-01-31", "2017-12-31", r"time.as_of \(line 6\): got '2017-12-31'; wanted a date after 2018-01"),
    ("as_of    = 2021-01-31\n", "", r"time.as_of .*wanted a date .*add as_of"),
    ("quarters = 2", "quarters = 0", r"time.quarters \(line 7\): got 0; wanted a whole number of quarters"),
    ("quarters = 2", "quarters = 4.0", r"time.quarters .*got 4; .*without a decimal point"), ("quarters = 2", "quarters = '2'", r"time.quarters .*got '2'; .*without quotes"),
    ("quarters = 2", "quarters = 2.5", r"time.quarters .*got 2.5; wanted a whole number of quarters"),
    ("quarters = 2", "quarters = true", r"time.quarters .*got True"),
    ("seed     = 11", "seed     = -1", r"time.seed \(line 9\): got -1; wanted a whole number from 0"),
    ("seed     = 11", "", r"time.seed .*wanted a whole number .*add seed"),
    ('"switching-level"]', '"swiching-level"]', r"models.use \(line 12\).*did you mean 'switching-level'\?"),
    ('"switching-level"]', "]", r"models.use .*wanted a list of model names"),
    ('["switching-level"]', '"switching-level"', r"models.use .*wanted a list of model names"),
    ('["regimes"]', '["switching-level"]', r"models.*'switching-level' stands twice in use and compare"),
    ('latent_from = "switching-level"', 'latent_from = "durations"', r"latent_from \(line 14\): got 'durations'; wanted a model of use or compare"),
    ('compare     = ["regimes"]\nlatent_from = "switching-level"', 'compare     = ["local-level"]\nlatent_from = "local-level"', r"latent_from .*wanted a model that has regimes"),
    ('compare     = ["regimes"]\nlatent_from = "switching-level"', 'compare     = ["durations"]\nchain = "front"\nlatent_from = "durations"', r"models.chain \(line 14\): got 'front'; .*durations has no chain per front"),
    ("latent_from", 'chain = "fronts"\nlatent_from', r"models.chain .*'fronts'.*did you mean 'front'\?"),
    ("[models.switching-level]", "[models.local-level]", r"models.local-level \(line 16\).*wanted a model of use or compare"),
    ("[models.switching-level]", "[models.regimes]", r"models.regimes.basis .*wanted no basis: its levels never wander"),
    ("basis = 8", "bases = 8", r"models.switching-level.bases \(line 17\).*did you mean 'basis'\?"),
    ("basis = 8", "basis = 800", r"models.switching-level.basis .*got 800; wanted a whole number from 1 to 64"),
    ("basis = 8", 'regimes = ["calm", "wor"]', r"models.switching-level.regimes .*'wor'; .*did you mean 'war'\?"),
    ("basis = 8", 'regimes = ["war", "tense"]', r"models.switching-level.regimes .*in the order of scenarios.toml"),
    ("basis = 8", 'regimes = ["calm", "war"]', r"models.switching-level.regimes .*the reference scenario 'tense' among them"),
    ("basis = 8", "basis = 8\n[simulate]\ndraws = 10", r"simulate.draws \(line 19\): got 10; wanted a whole number from 100"),
    ("[sources.counts]", "[sources.Counts]", r"sources.Counts \(line 19\): got 'Counts'; wanted an id: a small letter"),
    ('"data/counts.csv"', '"data/count.csv"', r"sources.counts.file \(line 20\): .*did you mean 'data/counts.csv'\?"),
    ('"data/counts.csv"', '"../small/data/counts.csv"', r"sources.counts.file .*wanted a path inside the workspace"),
    ('"data/counts.csv"', '"/etc/passwd"', r"sources.counts.file .*wanted a path inside the workspace"),
    ('"data/counts.csv"', "'data\\counts.csv'", r"sources.counts.file .*with forward slashes"),
    ('"data/counts.csv"', '"C:counts.csv"', r"sources.counts.file .*wanted a path inside the workspace"),
    ('"data/counts.csv"', '"data"', r"sources.counts.file .*got 'data'; wanted a file of the workspace"),
    ('"tidy"', '"tidi"', r"sources.counts.format \(line 21\): got 'tidi'; .*did you mean 'tidy'\?"),
    ('{ from = "2018-01", to = "2020-12" }', '"row"', r"sources.counts.coverage \(line 22\): got 'row'; wanted rows"),
    ('to = "2020-12" }', 'to = "2020-1" }', r"sources.counts.coverage.to .*'2020-1'; wanted a month"),
    ('{ from = "2018-01", to = "2020-12" }', '{ from = "2011-01", to = "2017-12" }', r"streams.incidents.source .*some month of the window from 2018-01; counts covers 2011-01 to 2017-12"),
    ("coded_by =", "# coded_by =", r"sources.desk.coded_by .*a rule looks at 'truce'; add coded_by"),
    ('source  = "counts"', 'source  = "count"', r"streams.incidents.source \(line 31\): got 'count'; .*did you mean 'counts'\?"),
    ('measure = "count"', 'measure = "days"', r"streams.incidents.measure .*a measure of the format tidy: count \| value"),
    ('measure = "count"', 'measure = "counts"', r"streams.incidents.measure .*did you mean 'count'\?"),
    ('measure = "count"\n', "", r"streams.incidents.measure .*it is missing: add measure"),
    ('level   = "walk"\n', "", r"streams.incidents.level .*the level can wander in switching-level"),
    ('level   = "walk"', 'level   = "wolk"', r"streams.incidents.level .*did you mean 'walk'\?"),
    ('effect  = "increasing"', 'efect  = "increasing"', r"streams.incidents.efect \(line 36\).*did you mean 'effect'\?"),
    ('effect  = "free"', 'effect  = "decreasing"', r"streams.truce.effect .*the priors state a chance for each scenario"),
    ('effect  = "free"', 'effect  = "free"\nlevel = "walk"', r"streams.truce.level .*the chances of a yes-or-no stream stand still"),
    ('family  = "bernoulli"', 'family  = "poisson"', r"streams.truce.family .*in-force is yes or no"),
    ('months = ["2019-03"]', 'months = ["2019-13"]', r"streams.incidents.masks 1.months 1 \(line 37\): got '2019-13'; wanted a month"),
    ('months = ["2019-03"]', 'months = ["2019-03", "2019-02"]', r"streams.incidents.masks 1.months .*wanted months in order"),
    ('months = ["2019-03"]', 'months = ["2017-03"]', r"streams.incidents.masks 1.months .*wanted a month of the window"),
    ('because = "An earthquake.", ', "", r"streams.incidents.masks 1.because .*wanted because"),
    ("known_from = 2019-04-01", 'known_from = "2019-04-01"', r"masks 1.known_from .*wanted a date such as"),
    ("[streams.truce]", '[streams.truce]\nid = "truce"', r"truce: the name of the table is the id"),
    ("[33.9, 71.5]", "[133.9, 71.5]", r"fronts.north .*-90 to 90"),
    ("[33.9, 71.5]", "[33.9]", r"fronts.north.at"),
    ('future = "last"\n', "", r"drivers.talks .*a driver with a history needs future"),
    ('future = "last"', 'future = "lost"', r"drivers.talks.future .*did you mean 'last'\?"),
    ('future = "last"', 'future = { "2021-13" = 1 }', r"drivers.talks.future.*wanted a month"),
    ('future = "last"', 'future = { "2021-03" = 2 }', r"drivers.talks .*2 where kind = \"state\" allows 0 or 1"),
    ('kind   = "state"', 'kind   = "amount"', r"drivers.talks .*an amount needs reference"),
    ("lag   = 0", "lag   = 3", r"drivers.trigger.lag .*got 3; wanted 0 \(acts in the same month\)"),
    ('use   = "what-if"', 'use   = "what-if"\nfuture = "last"', r"drivers.trigger .*take out future"),
    ('use   = "what-if"\n', "", r"drivers.csv: wanted the history of 'trigger': it has no row; .*use = \"what-if\""),
    ("[drivers.trigger]", '[drivers.clash]\ntitle = "A"\nkind = "event"\n[drivers.trigger]', r"drivers.clash.use .*counted twice"),
    ("[drivers.trigger]", '[drivers.rain]\ntitle = "A"\nkind = "state"\nuse = "what-if"\n[drivers.trigger]', r"priors.toml: wanted what 'rain' does to the odds; add \[odds.rain.leave"),
    ("{ talks = 1 }", "{ talk = 1 }", r"levers.dialogue.drivers .*did you mean 'talks'\?"),
    ("{ talks = 1 }", "{ talks = 7 }", r"levers.dialogue.drivers.talks .line 72.: 7 where kind = \"state\" allows 0 or 1$"),
    ("{ talks = 1 }", "{}", r"levers.dialogue.drivers .*wanted the drivers it sets"),
    ('because = "Talks shorten wars."', "", r"levers.dialogue.because .*it is missing: add because"),
    ("[streams.truce]", "[streams.truce", r"forecast.toml: line \d+: got '\[streams.truce'; wanted valid TOML"),
    ("quarters = 2", "quarters = 2\nquarters = 3", r"line 8: .*wanted each table and each key once"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "match"), FORECAST)
def test_a_mistake_in_forecast_toml(small: Path, old: str, new: str, match: str) -> None:
    edit(small, "forecast.toml", old, new)
    with pytest.raises(Refusal, match=match) as told:
        load(small)
    assert str(told.value).startswith(("forecast.toml: ", "drivers.csv: ", "priors.toml: "))


OTHERS = [
    ("scenarios.toml", 'reference  = "tense"', 'reference  = "tens"', r"reference.*did you mean 'tense'\?"),
    ("scenarios.toml", 'stream = "truce"', 'stream = "truse"', r"scenarios.toml: .*'truse'.*did you mean 'truce'\?"),
    ("scenarios.toml", "schema     = 1", "schema     = 9", r"scenarios.toml: schema: got 9"),
    ("scenarios.toml", 'because  = "A truce that holds."', "", r"scenarios.toml: .*because"),
    ("labels.toml", "schema = 1", "schema = 3", r"labels.toml: schema: got 3; .*needs scenariocast ≥"),
    ("labels.toml", 'scenario = "war"', 'scenario = "wat"', r"labels.toml: label 1.scenario \(line 10\): got 'wat'; .*'war'"),
    ("labels.toml", "ratio    = 4", "ratio    = 0.5", r"labels.toml: label 1.ratio \(line 11\): got 0.5; wanted a number of at least 1"),
    ("labels.toml", "ratio    = 4", "ratio    = inf", r"labels.toml: label 1.ratio .*got inf"),
    ("labels.toml", "ratio    = 4", 'ratio    = "4"', r"labels.toml: label 1.ratio .*got '4'; wanted a number"),
    ("labels.toml", 'because  = "Mobilisation was announced."', "", r"labels.toml: label 1.because .*wanted what, outside the streams"),
    ("labels.toml", 'author = "field desk"\n', "", r"labels.toml: label 1.author .*wanted who vouches for it: here, or once under \[defaults\]"),
    ("labels.toml", "date   = 2020-06-15", 'date   = "June 2020"', r"labels.toml: label 1.date .*wanted a date such as"),
    ("labels.toml", "[defaults]", '[defaults]\nbecause = "As always."', r"labels.toml: defaults \(line 3\).*each label gives its own reason"),
    ("labels.toml", '["2018-06"]', '["2018-6"]', r"labels.toml: label 1.months 1 .*'2018-6'; wanted a month"),
    ("labels.toml", '["2018-06"]', '["2016-06"]', r"labels.toml: label 1.months .*wanted a month of the window, 2018-01 to 2021-01"),
    ("labels.toml", '["2018-06"]', "[]", r"labels.toml: label 1.months .*wanted a list of months"),
    ("labels.toml", '["2018-06"]', '["2020-03"]', r"labels.toml: label 2.months .*one label for a month: label 1 speaks of it too"),
    ("labels.toml", '["2020-02", "2020-03"]', '["2020-03", "2020-02"]', r"label 2.months \(line 15\).*wanted months in order"),
    ("labels.toml", "scenario   =", "scenerio   =", r"labels.toml: label 2.scenerio \(line 16\).*did you mean 'scenario'\?"),
    ("labels.toml", "[[label]]", "[label]", r"labels.toml: line \d+"),
    ("drivers.csv", "month,driver", "month;driver", r"drivers.csv: line 1: .*wanted the columns month,driver,value,known_from"),
    ("drivers.csv", "known_from", "known", r"drivers.csv: line 1: got 'known'; .*did you mean 'known_from'\?"),
    ("drivers.csv", "2018-07,talks", "2018-7,talks", r"drivers.csv: line 2, month: got '2018-7'"),
    ("drivers.csv", "2018-07,talks", "2018-07,talk", r"drivers.csv: line 2, driver: got 'talk'; .*did you mean 'talks'\?"),
    ("drivers.csv", "2018-07,talks", "2018-07,trigger", r"drivers.csv: line 2, driver: .*no history of a what-if driver"),
    ("drivers.csv", "talks,1", "talks,0.5", r"drivers.csv: line 2, value: 0.5 where kind = \"state\" allows 0 or 1$"),
    ("drivers.csv", "talks,1", "talks,yes", r"drivers.csv: line 2, value: got 'yes'; wanted a number"),
    ("drivers.csv", "talks,1", "talks,١", r"drivers.csv: line 2, value: .*wanted a number"),
    ("drivers.csv", "2018-07-20", "20/07/2018", r"drivers.csv: line 2, known_from: got '20/07/2018'; wanted a date"),
    ("drivers.csv", "2018-07-20", "2018-02-30", r"drivers.csv: line 2, known_from: got '2018-02-30'; wanted a date"),
    ("drivers.csv", "2018-10,talks", "2018-07,talks", r"drivers.csv: line 3, month: .*a month after 2018-07"),
    ("drivers.csv", "2018-10,talks", "2018-06,talks", r"drivers.csv: line 3, month: .*put the rows in order"),
    ("drivers.csv", ",2018-10-31", "", r"drivers.csv: line 3: .*wanted 4 cells"),
    ("drivers.csv", "2018-10,", '"2018-10,', r"drivers.csv: line 3: wanted quotes that close"),
    ("priors.toml", "[dwell.war]", "[dwell.wor]", r"priors.toml: dwell.wor.*did you mean 'war'\?"),
    ("priors.toml", "[wander.incidents]", "[wander.fire-days]", r"priors.toml: wander.fire-days: .*level = \"walk\""),
    ("priors.toml", "[odds.talks.leave.war]", "[odds.talk.leave.war]", r"priors.toml: .*'talk'|what 'talks' does to the odds"),
    ("priors.toml", "schema = 1", "schema = 4", r"priors.toml: schema: got 4; .*needs scenariocast ≥"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "match"), OTHERS)
def test_a_mistake_in_another_file(small: Path, file: str, old: str, new: str, match: str) -> None:
    edit(small, file, old, new)
    with pytest.raises(Refusal, match=match):
        load(small)


def test_a_folder_without_a_workspace_is_told_how_to_become_one(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"no forecast.toml in it: `forecast init .*` writes one"):
        load(tmp_path)


def test_a_name_that_is_neither_folder_nor_theatre() -> None:
    with pytest.raises(Refusal, match=r"frontir: no forecast.toml in it: a workspace or a bundled theatre"):
        load("frontir")


@pytest.mark.parametrize("file", ["scenarios.toml", "priors.toml"])
def test_a_file_that_every_workspace_has(small: Path, file: str) -> None:
    (small / file).unlink()
    with pytest.raises(Refusal, match=rf"^{file}: .*there is no such file"):
        load(small)


@pytest.mark.parametrize(
    "file", ["forecast.toml", "scenarios.toml", "priors.toml", "labels.toml", "drivers.csv"]
)
def test_a_file_that_is_empty(small: Path, file: str) -> None:
    (small / file).write_text(" \n", "utf-8")
    with pytest.raises(Refusal, match=rf"^{file}: wanted what `forecast init` writes; the file is empty"):
        load(small)


@pytest.mark.parametrize(
    "file", ["forecast.toml", "scenarios.toml", "priors.toml", "labels.toml", "drivers.csv"]
)
def test_a_file_in_another_encoding_is_told_by_line(small: Path, file: str) -> None:
    path = small / file
    path.write_bytes(path.read_bytes() + b"\n# caf\xe9\n")
    with pytest.raises(
        Refusal, match=rf"^{file}: line \d+: .*wanted text in UTF-8; save the file again as UTF-8"
    ):
        load(small)


def test_a_folder_in_the_place_of_a_file(small: Path) -> None:
    (small / "labels.toml").unlink()
    (small / "labels.toml").mkdir()
    with pytest.raises(Refusal, match=r"^labels.toml: wanted a file of this name; this is a directory"):
        load(small)


def test_a_label_needs_a_model_with_regimes(small: Path) -> None:
    path = small / "forecast.toml"
    text = path.read_text("utf-8")
    head, _, tail = text.partition("[models]")
    _, _, rest = tail.partition("[sources.counts]")
    path.write_text(f'{head}[models]\nuse = ["local-level"]\n[sources.counts]{rest}', "utf-8", newline="")
    with pytest.raises(Refusal, match=r"^labels.toml: wanted no labels: no model in use has regimes"):
        load(small)


def test_regimes_that_no_stream_tells_apart(small: Path) -> None:
    path = small / "forecast.toml"
    text = path.read_text("utf-8").replace('"increasing"', '"none"').replace('"free"', '"none"')
    path.write_text(text, "utf-8", newline="")
    with pytest.raises(Refusal, match="wanted an effect on some stream: nothing tells the regimes apart"):
        load(small)


def test_a_message_survives_what_a_file_may_hold(small: Path) -> None:
    """Escapes of a terminal are shown, and a long text is cut."""
    path = small / "forecast.toml"
    text = path.read_text("utf-8")
    path.write_text(text.replace('"walk"', '"\\u001b[31m' + "x" * 5000 + '"'), "utf-8", newline="")
    with pytest.raises(Refusal) as told:
        load(small)
    assert "\x1b" not in str(told.value)
    assert "streams.incidents.level" in str(told.value)
    assert len(str(told.value)) < 300
