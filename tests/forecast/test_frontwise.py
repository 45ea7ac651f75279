"""A run with one chain per front: the fronts' own panels, their regimes in the record and on the page, what is refused."""

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pypdf
import pytest

from forecast import archive, fronts, frontwise
from forecast.clock import read
from forecast.explain import explain
from forecast.pipeline import Run, run
from forecast.question import ask
from forecast.workspace import load
from priors import Refusal

FRONTS = '\n[fronts.north]\ntitle = "The north"\nat = [34.0, 71.0]\n\n[fronts.south]\ntitle = "The south"\n'
POOLING, LEVELS = (
    f'\n[pooling.{what}]\nkind = "interval"\nlow = {low}\nhigh = {high}\nmass = 0.9\nunit = "percent"\n'
    'because = "Neighbours differ."\n'
    for what, low, high in (("fronts", 10, 60), ("levels", 40, 500))
)


def part(place: Path) -> Path:
    """The second theatre with its counts told by two fronts: the north quiet to the end, the south in turmoil."""
    counts = place / "data" / "counts.csv"
    head, *rows = counts.read_text("utf-8").split()
    told = [head]
    for n, row in enumerate(rows):
        month, _, stream, count = row.split(",")
        north = min(2 + n % 3, int(count))
        late = 30 if n >= len(rows) - 2 else 0
        told += [f"{month},north,{stream},{north}", f"{month},south,{stream},{int(count) - north + late}"]
    counts.write_text("\n".join([*told, ""]), encoding="utf-8", newline="")
    config = place / "forecast.toml"
    text = config.read_text("utf-8").replace('use = ["regimes"]', 'use = ["regimes"]\nchain = "front"')
    config.write_text(text + FRONTS, encoding="utf-8", newline="")
    said = place / "priors.toml"
    said.write_text(said.read_text("utf-8") + POOLING + LEVELS, encoding="utf-8", newline="")
    return place


@pytest.fixture
def parted(tmp_path: Path, second: Callable[[Path], Path]) -> Path:
    return part(second(tmp_path / "theatre"))


@pytest.fixture(scope="module")
def left(
    second: Callable[[Path], Path],
    quickly: Callable[..., AbstractContextManager[None]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    """A run of it; the fronts are really fitted."""
    place = part(second(tmp_path_factory.mktemp("parted") / "theatre"))
    with quickly():
        return run(place)


@pytest.fixture(scope="module")
def record(left: Run) -> dict[str, Any]:
    """Its forecast.json."""
    return json.loads((left.path / "forecast.json").read_text("utf-8"))


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8", newline="")


def test_the_fronts_add_up_to_the_theatre_and_show_only_what_they_have(parted: Path) -> None:
    workspace = load(parted)
    question = ask(workspace, read(workspace.config.time))
    found = frontwise.by_front(question)
    assert found.dims == ("front", "stream", "month")
    assert np.array_equal(found.sum("front").values, question.panel.counts.values)
    edit(parted / "forecast.toml", 'where   = { stream = "incidents" }', 'where   = { front = "south" }')
    edit(parted / "forecast.toml", '[fronts.north]\ntitle = "The north"\nat = [34.0, 71.0]\n', "")
    workspace = load(parted)
    question = ask(workspace, read(workspace.config.time))
    assert frontwise.by_front(question)["front"].values.tolist() == ["south"]


def test_what_no_regime_moves_is_left_out(parted: Path) -> None:
    config, said = parted / "forecast.toml", parted / "priors.toml"
    text = config.read_text("utf-8")
    own = text[text.index("[streams.incidents]") : text.index("[fronts.north]")]
    still = own.replace("streams.incidents", "streams.still").replace('"increasing"', '"none"')
    config.write_text(text + "\n" + still, encoding="utf-8", newline="")
    beliefs = said.read_text("utf-8")
    more = beliefs[beliefs.index("[level.incidents]") : beliefs.index("[pooling.fronts]")]
    said.write_text(beliefs + "\n" + more.replace(".incidents]", ".still]"), encoding="utf-8", newline="")
    workspace = load(parted)
    found = frontwise.by_front(ask(workspace, read(workspace.config.time)))
    assert found["stream"].values.tolist() == ["incidents"]


def test_the_record_tells_where_each_front_stands(record: dict[str, Any]) -> None:
    north, south = record["fronts"]["north"], record["fronts"]["south"]
    assert north["title"] == "The north"
    for front in (north, south):
        assert [q["quarter"] for q in front["quarters"]] == [q["quarter"] for q in record["quarters"]]
        for told in (front["regime"], *(q["regime"] for q in front["quarters"])):
            assert sum(one["mean"] for one in told.values()) == pytest.approx(1.0)
            assert all(one["q05"] <= one["mean"] + 1e-9 and one["mean"] <= 1.0 for one in told.values())
    assert south["regime"]["violent"]["mean"] > 0.9 > 0.5 > north["regime"]["violent"]["mean"]
    ahead = [q["regime"]["violent"]["mean"] for q in south["quarters"]]
    assert ahead == sorted(ahead, reverse=True)  # what is known of now wears off
    names = {check["name"] for check in record["verdict"]["checks"]}
    assert {"fronts: R-hat", "fronts: divergences"} <= names
    for front in (north, south):  # the months as they came in end where the front stands now
        assert [entry["month"] for entry in front["history"]] == [e["month"] for e in record["history"]]
        assert all(sum(entry["regime"].values()) == pytest.approx(1.0) for entry in front["history"])
        last = front["history"][-1]["regime"]["violent"]
        assert last == pytest.approx(front["regime"]["violent"]["mean"])
    assert set(record["fronts_pooled"]["apart"]) == {"pooling.fronts", "pooling.levels"}
    told = {entry["key"]: entry for entry in record["priors"] if entry["key"].startswith("pooling.")}
    assert [entry["used_by"] for entry in told.values()] == [["regimes by front"]] * 2
    assert all(entry["posterior"]["q05"] < entry["posterior"]["q95"] for entry in told.values())
    assert all(one["q05"] > 1.0 for one in record["fronts_pooled"]["dwell_months"].values())


def test_the_joint_posterior_is_kept_and_says_the_same_again(left: Run, record: dict[str, Any]) -> None:
    joint = archive.joint(archive.read(left.path))
    for name, one in fronts.each(joint, months=3):
        told, own = record["fronts"][name], one.latent
        for regime, p in own.now().items():
            assert p.mean() == pytest.approx(told["regime"][regime]["mean"], abs=1e-12)
        for regime, p in own.quarter_end(record["quarters"][0]["quarter"]).items():
            assert p.mean() == pytest.approx(told["quarters"][0]["regime"][regime]["mean"], abs=1e-12)


def test_an_explanation_derives_the_fronts_again(left: Run) -> None:
    line = next(line for line in explain(archive.read(left.path), "violent")["lines"] if "fronts.nc" in line)
    assert "The south" in line
    assert line.endswith("forecast.json says the same.")


class Numbers(HTMLParser):
    """The numbers behind the words of each row of a table, by the words of its head."""

    def __init__(self, text: str, key: str) -> None:  # noqa: D107
        super().__init__()
        self.key, self.inside, self.head = key, False, False
        self.rows: dict[str, list[float]] = {}
        self.words: dict[str, str] = {}
        self.name = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: D102
        said = dict(attrs)
        if tag == "table":
            self.inside = said.get("id") == f"table-{self.key}"
        elif tag == "th" and self.inside:
            self.head, self.name = said.get("scope") == "row", ""
        elif tag == "data" and self.inside:
            self.rows.setdefault(self.name, []).append(float(said["value"] or "nan"))

    def handle_endtag(self, tag: str) -> None:  # noqa: D102
        self.inside, self.head = self.inside and tag != "table", self.head and tag != "th"

    def handle_data(self, text: str) -> None:  # noqa: D102
        if self.head:
            self.name += text
        elif self.inside and self.name:
            self.words[self.name] = self.words.get(self.name, "") + closed_up(text)


def closed_up(text: str) -> str:
    """Without white space, joiners and the rules of a table: a page may break a line wherever it likes."""
    return re.sub(r"[\s\u2060|]+", "", text)


def test_every_format_tells_the_same_of_each_front(left: Run, record: dict[str, Any]) -> None:
    """Where each stands, will stand and how long: the page's numbers are the record's, its words in PDF and notebook."""
    page = (left.path / "report.html").read_text("utf-8")
    sheets = pypdf.PdfReader(left.path / "report.pdf").pages
    pdf = closed_up("".join(sheet.extract_text() for sheet in sheets))
    cells = json.loads((left.path / "report.ipynb").read_text("utf-8"))["cells"]
    notebook = closed_up("".join("".join(cell["source"]) for cell in cells))
    told = {front["title"]: front for front in record["fronts"].values()}
    wanted = {
        "fronts-now": {title: front["regime"] for title, front in told.items()},
        "fronts-next": {title: front["quarters"][0]["regime"] for title, front in told.items()},
        "fronts-dwell": {
            "All fronts together": record["fronts_pooled"]["dwell_months"],
            **{title: front["dwell_months"] for title, front in told.items()},
        },
    }
    for key, rows in wanted.items():
        table = Numbers(page, key)
        assert list(table.rows) == list(rows)
        for title, row in rows.items():
            assert set(table.rows[title]) <= {one[q] for one in row.values() for q in ("mean", "q05", "q95")}
            assert table.rows[title][0] == next(iter(row.values()))["mean"]
            for text in (pdf, notebook):
                assert closed_up(title) + table.words[title] in text
    charts = json.loads(page.split('id="specs">')[1].split("</script>")[0])
    assert {"fronts", "fronts-dwell"} <= set(charts)


@pytest.mark.parametrize(
    ("file", "old", "new", "wanted"),
    [
        ("priors.toml", POOLING, "", r"pooling\.fronts"),
        ("priors.toml", LEVELS, "", r"pooling\.levels"),
        ("forecast.toml", FRONTS, "", r"models\.chain.*a table \[fronts"),
        ("forecast.toml", 'use = ["regimes"]', 'use = ["durations"]', r"models\.chain.*durations has no chain per front"),
    ],
)  # fmt: skip
def test_refusals(parted: Path, file: str, old: str, new: str, wanted: str) -> None:
    edit(parted / file, old, new)
    if "durations" in new:
        edit(parted / "forecast.toml", "effect  =", 'level   = "constant"\neffect  =')
    with pytest.raises(Refusal, match=wanted):
        load(parted)


def test_a_front_without_a_row_is_refused(parted: Path) -> None:
    edit(parted / "forecast.toml", "[fronts.south]", '[fronts.west]\ntitle = "The west"\n\n[fronts.south]')
    workspace = load(parted)
    with pytest.raises(Refusal, match=r"fronts\.west"):
        frontwise.by_front(ask(workspace, read(workspace.config.time)))
