"""What `init` writes is a workspace that loads, and it writes nothing where something stands."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import priors
from forecast import clock
from forecast.incidents import gather
from forecast.months import month_end, quarter_months, quarter_of, shift, span
from forecast.panel import panel
from forecast.question import ask
from forecast.rules import resolve
from forecast.theatres import init, names
from forecast.workspace import Workspace, bundled_files, load, rendered
from models import CATALOGUE
from priors import Refusal


def counts(path: Path, rows: list[tuple[str, str, str, object]]) -> Path:
    """A tidy file of rows month, front, stream, count."""
    lines = ["month,front,stream,count", *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", "utf-8", newline="")
    return path


def observed(workspace: Workspace):  # type: ignore[no-untyped-def]
    """The panel of a workspace as known at its date."""
    archive = gather(workspace.sources, workspace.streams, root=workspace.root)
    time = workspace.config.time
    assert time.as_of != "today"
    return panel(
        archive,
        workspace.streams,
        workspace.sources,
        longest=time.window.months,
        window_from=time.window.from_,
        as_of=time.as_of,
        deciding=workspace.scenarios.streams,
    )


def test_the_frontier_is_written_as_it_is_bundled(tmp_path: Path) -> None:
    there = tmp_path / "ma frontière"
    written = {path.relative_to(there).as_posix(): path for path in init(there)}
    assert set(bundled_files("frontier")) <= set(written)
    assert (
        written["priors.toml"].read_bytes() == (Path(priors.__file__).parent / "frontier.toml").read_bytes()
    )
    assert written[".schema/forecast.json"].read_bytes() == rendered()["forecast.json"]
    assert written[".gitignore"].read_text("utf-8").startswith("runs/\n")
    mine, bundled = load(there), load("frontier")
    assert (mine.config, mine.scenarios, mine.labels, mine.drivers) == (
        bundled.config,
        bundled.scenarios,
        bundled.labels,
        bundled.drivers,
    )
    assert mine.priors == bundled.priors


def test_every_schema_line_leads_to_a_schema(tmp_path: Path) -> None:
    init(tmp_path / "w")
    for file in (tmp_path / "w").glob("*.toml"):
        first = file.read_text("utf-8").splitlines()[0]
        assert first.startswith("#:schema ")
        assert (tmp_path / "w" / first.removeprefix("#:schema ")).is_file()


def test_the_frontier_resolves_as_its_reasons_say() -> None:
    """War in the two quarters of open fighting, de-escalation in one, the last quarter open."""
    frontier = load("frontier")
    seen = observed(frontier)
    quarters = dict.fromkeys(quarter_of(month) for month in seen.months)
    past = {q: resolve(frontier.scenarios, seen.counts, window_end=quarter_months(q)[2]) for q in quarters}
    assert [q for q, found in past.items() if found == "regional-war"] == ["2025Q4", "2026Q1"]
    assert [q for q, found in past.items() if found == "de-escalation"] == ["2022Q3"]
    assert seen.origin == "2026-05"
    assert past["2026Q2"] is None


def test_a_threshold_of_war_survives_a_revision_by_a_fifth() -> None:
    """As the reason of the rule says: 93 and 148 deaths lie a fifth or more from 115."""
    frontier = load("frontier")
    seen = observed(frontier)
    for factor in (0.8, 1.2):
        revised = seen.counts.copy()
        revised.loc[{"stream": "deaths-afghanistan"}] *= factor
        for month in ("2024-12", "2025-12", "2026-03"):
            before = resolve(frontier.scenarios, seen.counts, window_end=month)
            assert resolve(frontier.scenarios, revised, window_end=month) == before


def test_nothing_is_written_where_something_stands(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", "utf-8")
    with pytest.raises(Refusal, match=r"wanted a new or empty directory; .*nothing was written"):
        init(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    with pytest.raises(Refusal, match="wanted a new or empty directory; this is a file"):
        init(tmp_path / "notes.txt")


def test_an_empty_directory_will_do(tmp_path: Path) -> None:
    assert (tmp_path / "forecast.toml") in init(tmp_path)


@pytest.mark.parametrize(
    ("theatre", "data", "match"),
    [
        ("frontiere", None, r"--theatre: got 'frontiere'; .*did you mean 'frontier'\?"),
        ("blank", None, r"--theatre blank: wanted --data FILE"),
        ("frontier", Path("x.csv"), r"--data: .*the theatre brings its own"),
        ("blank", Path("x.csv"), r"x.csv: there is no such file"),
    ],
)
def test_a_wrong_wish_writes_nothing(tmp_path: Path, theatre: str, data: Path | None, match: str) -> None:
    with pytest.raises(Refusal, match=match):
        init(tmp_path / "w", theatre=theatre, data=data)
    assert not (tmp_path / "w").exists()


def months_of(n: int) -> tuple[str, ...]:
    return span("2015-01", shift("2015-01", n - 1))


def test_a_file_of_counts_becomes_a_workspace(tmp_path: Path) -> None:
    rows = [(month, "north", "raids", 10 + n % 5) for n, month in enumerate(months_of(48))]
    source = counts(tmp_path / "raids of the north.csv", rows)
    init(tmp_path / "w", theatre="blank", data=source)
    found = load(tmp_path / "w")
    assert found.title == "raids of the north"
    assert found.data_path("counts").read_bytes() == source.read_bytes()
    assert [stream.id for stream in found.streams] == ["raids"]
    assert found.config.time.window.from_ == "2015-01"
    assert found.config.time.as_of > month_end("2018-12")
    level = found.priors["level.raids"]
    assert level.low < 12 < level.high
    assert "first 24 months" in level.because
    assert all("Generic default" in said.because for said in found.priors.values())


def test_the_scale_comes_from_the_first_24_months_alone(tmp_path: Path) -> None:
    """What happens later is for the models to say, so that a replay of the past starts without hindsight."""
    early = [(month, "north", "raids", 8) for month in months_of(24)]
    texts = []
    for n, later in enumerate((1, 900)):
        rows = [*early, *((month, "north", "raids", later) for month in months_of(48)[24:])]
        init(tmp_path / str(n), theatre="blank", data=counts(tmp_path / f"{n}.csv", rows))
        texts.append((tmp_path / str(n) / "priors.toml").read_bytes())
    assert texts[0] == texts[1]


def test_a_long_file_is_learnt_from_for_ten_years(tmp_path: Path) -> None:
    """Replays may begin with its first month; what is learnt from, and scaled on, are the last ten years."""
    rows = [(month, "north", "raids", 1000 if n < 60 else 8) for n, month in enumerate(months_of(180))]
    init(tmp_path / "w", theatre="blank", data=counts(tmp_path / "long.csv", rows))
    found = load(tmp_path / "w")
    window, seen = found.config.time.window, observed(found)
    assert (window.from_, window.months) == (months_of(180)[0], 120)
    assert (seen.months[0], len(seen.months)) == (months_of(180)[60], 120)
    assert found.config.sources["counts"].coverage.from_ == "2015-01"
    assert "(8 a month)" in found.priors["level.raids"].because


def test_fronts_become_streams_until_they_are_too_many(tmp_path: Path) -> None:
    few = [(month, front, "raids", 5) for month in months_of(36) for front in ("north", "south")]
    init(tmp_path / "few", theatre="blank", data=counts(tmp_path / "few.csv", few))
    found = load(tmp_path / "few")
    assert [stream.id for stream in found.streams] == ["raids-north", "raids-south"]
    assert found.scenarios.streams == ("raids-north", "raids-south")
    many = [(month, f"district-{n}", "raids", 5) for month in months_of(36) for n in range(9)]
    init(tmp_path / "many", theatre="blank", data=counts(tmp_path / "many.csv", many))
    found = load(tmp_path / "many")
    assert [stream.id for stream in found.streams] == ["raids"]
    assert set(observed(found).counts.values.ravel()) == {45.0}


def test_a_stream_that_begins_later_is_missing_before_not_zero(tmp_path: Path) -> None:
    rows = [(month, "north", "raids", 5) for month in months_of(48)]
    rows += [(month, "north", "strikes", 3) for month in months_of(48)[12:]]
    init(tmp_path / "w", theatre="blank", data=counts(tmp_path / "two.csv", rows))
    seen = observed(load(tmp_path / "w")).counts.sel(stream="strikes")
    assert seen[:12].isnull().all()
    assert (seen[12:] == 3).all()


def test_a_year_of_zeros_and_one_incident_is_no_surge(tmp_path: Path) -> None:
    rows = [(month, "north", "raids", int(n == 40)) for n, month in enumerate(months_of(48))]
    init(tmp_path / "w", theatre="blank", data=counts(tmp_path / "quiet.csv", rows))
    found = load(tmp_path / "w")
    assert resolve(found.scenarios, observed(found).counts, window_end=months_of(48)[41]) != "surge"


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([(month, "n", "raids", 1) for month in months_of(35)], r"wanted at least 36 months; it holds 35, 2015-01 to 2017-11"),
        ([(month, "n", f"s{k}", 1) for month in months_of(36) for k in range(7)], r"wanted at most 6 streams; it holds 7 \(s0, "),
        ([(month, "n", "raids", "" if n > 5 else 1) for n, month in enumerate(months_of(36))], r"at least 12 known months among the first 24.*; there are 6"),
        ([(month, "n", "raids", 1.5) for month in months_of(36)], r"line 2, column count"),
    ],
)  # fmt: skip
def test_a_file_that_teaches_nothing_is_refused(
    tmp_path: Path, rows: list[tuple[str, str, str, object]], match: str
) -> None:
    source = counts(tmp_path / "f.csv", rows)
    with pytest.raises(Refusal, match=match):
        init(tmp_path / "w", theatre="blank", data=source)
    assert not (tmp_path / "w").exists()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "deaths-of-civilians", "x" * 41]),
            st.sampled_from(["Nord", "Süd", "é" * 30]),
        ),
        min_size=1,
        max_size=6,
        unique=True,
    ),
    st.lists(st.integers(0, 500), min_size=36, max_size=60),
)
def test_whatever_is_written_loads(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]], values: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("blank")
    rows = [
        (month, front, stream, value + n)
        for n, (stream, front) in enumerate(pairs)
        for month, value in zip(months_of(len(values)), values, strict=True)
    ]
    init(folder / "w", theatre="blank", data=counts(folder / "counts.csv", rows))
    found = load(folder / "w")
    assert len(found.streams) == len(pairs)
    assert (
        resolve(found.scenarios, observed(found).counts, window_end=months_of(len(values))[-1])
        in found.scenarios.ids
    )


def test_what_can_be_written_is_named() -> None:
    assert {"frontier", "blank"} <= set(names())


@pytest.mark.parametrize("model", CATALOGUE)
def test_the_frontiers_beliefs_serve_every_model(model: str) -> None:
    """`compare = ["durations"]` is refused for want of nothing."""
    frontier = load("frontier")
    question = ask(frontier, clock.read(frontier.config.time))
    wanted = CATALOGUE[model].needs(CATALOGUE[model].view(question.setting(model)))
    assert set(wanted) <= set(frontier.priors)
