"""A newcomer's table is read in the one way that fits it, or refused with what to do: formats, laws, refusals."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast.months import days_in, span
from forecast.streams import TAKEN
from forecast.theatres import init
from forecast.theatres.blank import dates, figures
from forecast.theatres.blank.tables import tidied
from forecast.workspace import load
from priors.refusal import Refusal

MONTHS = span("2020-01", "2023-04")
COUNTS = tuple(900 + 37 * n for n in range(len(MONTHS)))
WORDS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
WRITTEN: dict[str, Callable[[str], str]] = {
    "month": lambda m: m,
    "first day": lambda m: f"{m}-01",
    "last day": lambda m: f"{m}-{days_in(m):02d}",
    "middle": lambda m: f"{m}-15",
    "a moment": lambda m: f"{m}-01 00:00:00",
    "slashes": lambda m: m.replace("-", "/"),
    "run together": lambda m: m.replace("-", ""),
    "M": lambda m: m.replace("-", "M"),
    "day first": lambda m: f"01/{m[5:]}/{m[:4]}",
    "day first, last day": lambda m: f"{days_in(m)}.{m[5:]}.{m[:4]}",
    "month first": lambda m: f"{int(m[5:])}/1/{m[:4]}",
    "month and year": lambda m: f"{m[5:]}/{m[:4]}",
    "in words": lambda m: f"{WORDS[int(m[5:]) - 1]} {m[:4]}",
    "in short": lambda m: f"{WORDS[int(m[5:]) - 1][:3]}-{m[2:4]}",
}
NUMBERS: dict[str, Callable[[int], str]] = {
    "plain": str,
    "a float": lambda n: f"{n}.0",
    "three decimals": lambda n: f"{n}.000",
    "English thousands": lambda n: f"{n:,}",
    "German thousands": lambda n: f"{n:,}".replace(",", "."),
    "French thousands": lambda n: f"{n:,}".replace(",", "\u202f"),
    "decimal comma": lambda n: f"{n},0",
    "both": lambda n: f"{n:,}.00",
}


def table(place: Path, text: str, encoding: str = "utf-8") -> Path:
    path = place / "table.csv"
    path.write_bytes(text.encode(encoding))
    return path


def rows(content: bytes) -> list[list[str]]:
    return [line.split(",") for line in content.decode().splitlines()[1:]]


@pytest.mark.parametrize("form", WRITTEN)
def test_months_are_read_however_they_are_written(form: str) -> None:
    found = dates.read([WRITTEN[form](month) for month in MONTHS])
    assert found is not None
    assert tuple(found[0]) == MONTHS


@pytest.mark.parametrize("form", NUMBERS)
def test_counts_are_read_however_they_are_written(form: str) -> None:
    cells = [NUMBERS[form](n) for n in COUNTS]
    assert figures.counts(cells, range(len(cells)), file="f", column="c") == [str(n) for n in COUNTS]


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=30), st.sampled_from(sorted(NUMBERS)))
def test_no_number_changes_its_size(numbers: list[int], form: str) -> None:
    """Of a column in one form: read as it was meant, or (three decimals of one cell alone) not told from thousands."""
    cells = [NUMBERS[form](n) for n in numbers]
    if form == "three decimals" and len(cells) == 1:
        return
    assert figures.counts(cells, range(len(cells)), file="f", column="c") == [str(n) for n in numbers]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_separator_and_encoding_do_not_matter(tmp_path: Path, mark: str, encoding: str) -> None:
    lines = [mark.join(("Pays", "Mois", "Morts"))]
    lines += [mark.join(("Côte d'Ivoire", month, str(n))) for month, n in zip(MONTHS, COUNTS, strict=True)]
    found = tidied(table(tmp_path, "\r\n".join(lines), encoding))
    assert rows(found.content) == [
        [month, "cote-d-ivoire", "morts", str(n)] for month, n in zip(MONTHS, COUNTS, strict=True)
    ]


def test_a_tables_columns_play_their_parts(tmp_path: Path) -> None:
    """Fronts from a country, streams from columns of numbers; bounds beside a best estimate and words are left out."""
    head = "country,year,month,best,low,high,source\n"
    text = head + "".join(f"{c},{m[:4]},{int(m[5:])},7,5,9,x\n" for m in MONTHS for c in ("Mali", "Niger"))
    found = tidied(table(tmp_path, text))
    assert {(front, stream) for _, front, stream, _ in rows(found.content)} == {
        ("mali", "best"),
        ("niger", "best"),
    }
    assert found.told[0] == "months from year and month (year first), counts from best, fronts from country"
    assert found.told[1] == "columns not read: low, high, source"


@pytest.mark.parametrize(
    ("absent", "said"), [(slice(10, 12), "taken as not known"), (slice(2, 36), "counted as zero")]
)
def test_a_month_without_a_row_is_unknown_where_almost_all_have_one(
    tmp_path: Path, absent: slice, said: str
) -> None:
    left = [month for month in MONTHS if month not in MONTHS[absent]]
    found = tidied(table(tmp_path, "month,deaths\n" + "".join(f"{month},5\n" for month in left)))
    assert said in found.told[-1]
    assert len(rows(found.content)) == (len(MONTHS) if "not known" in said else len(left))


def test_words_for_missing_are_missing_and_not_zero(tmp_path: Path) -> None:
    text = "month,deaths\n" + "".join(f"{m},{'n/a' if n == 4 else n}\n" for n, m in enumerate(MONTHS))
    assert [row[3] for row in rows(tidied(table(tmp_path, text)).content)][3:6] == ["3", "", "5"]


def test_a_newcomers_table_becomes_a_workspace_and_says_how_it_was_read(tmp_path: Path) -> None:
    told: list[str] = []
    text = "Date;Deaths\n" + "".join(f"01.{m[5:]}.{m[:4]};{n}\n" for m, n in zip(MONTHS, COUNTS, strict=True))
    init(tmp_path / "w", theatre="blank", data=table(tmp_path, text), tell=told.append)
    found = load(tmp_path / "w")
    assert [stream.id for stream in found.streams] == ["deaths"]
    assert found.config.models.use == ("local-level",)
    assert told == ["months from Date (day first), counts from Deaths"]


def test_a_cell_may_hold_lines_and_a_quote_of_its_own(tmp_path: Path) -> None:
    text = "month,deaths,note\n" + "".join(f'{m},5,"two\nlines"\n' for m in MONTHS) + '2023-05,6,5" gun\n'
    assert len(rows(tidied(table(tmp_path, text)).content)) == len(MONTHS) + 1


@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.parametrize("header", ["month,{}", "month,front,stream,count"])
def test_a_column_named_as_a_backtest_names_its_own_gets_another_id(
    tmp_path: Path, name: str, header: str
) -> None:
    middle = f"here,{name}," if "front" in header else ""
    text = (
        header.format(name)
        + "\n"
        + "".join(f"{m},{middle}{n}\n" for m, n in zip(MONTHS, COUNTS, strict=True))
    )
    init(tmp_path / "w", theatre="blank", data=table(tmp_path, text))
    assert [stream.id for stream in load(tmp_path / "w").streams] == [f"{name}-counts"]
    config = tmp_path / "w" / "forecast.toml"
    config.write_text(config.read_text("utf-8").replace(f"{name}-counts", name), "utf-8", newline="")
    with pytest.raises(Refusal, match=f"a stream cannot be called {name}"):
        load(tmp_path / "w")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("date,deaths\n05/13/2024,1\n06/14/2024,2\n", r"column date: got '05/13/2024'; wanted the first or the last day .*cannot be told apart"),
        ("month,deaths\n2024-01,1\nTotal,2\n", r"line 3, column month: got 'Total'.*total or a remark"),
        ("quarter,deaths\n2024Q1,1\n2024Q2,2\n", r"wanted a column of months, such as \"2026-05\""),
        ("2024-01,1\n2024-02,2\n", r"line 1: .*begin the file with a line such as \"month,deaths\""),
        ("month,deaths\n2024-01,1\n2024-01,2\n", r"lines 2 and 3: got '2024-01'; wanted each month once"),
        ("month,rate\n2024-01,1.5\n2024-02,2\n", r"line 2, column rate: got '1.5'.*counts are whole"),
        ("month,deaths\n2024-01,-4\n2024-02,2\n", r"line 2, column deaths: got '-4'.*cannot be negative"),
        ("month,place\n2024-01,x\n2024-02,y\n", r"wanted a column of counts"),
        ("month,deaths\n2024-01,1,234\n", r"line 2: .*in quotes"),
        ('month,deaths\n2024-01,1\n2024-02,"2' + "\n2024-03,3" * 20_000, r"table.csv: line 3: got 'a cell that does not end'.*close the quote"),
        ('month,deaths\n2024-01,1\n2024-02,"2\n2024-03,3\n', r"table.csv: line 3: got 'a cell that does not end'"),
        ('"month,deaths\n2024-01,1\n', r"table.csv: line 1: got 'a cell that does not end'"),
        ("month,deaths\n", r"wanted a header and a row for each month"),
        ("id,country,date_start,date_end,best,low,high\n1,a,2024-01-01,2024-01-01,1,1,1\n", r"forecast ingest .*table.csv --format ucdp-ged -o counts.csv"),
    ],
)  # fmt: skip
def test_what_can_be_read_in_no_way_or_in_two_is_refused(tmp_path: Path, text: str, match: str) -> None:
    with pytest.raises(Refusal, match=match):
        init(tmp_path / "w", theatre="blank", data=table(tmp_path, text))
    assert not (tmp_path / "w").exists()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="month,;\t\n\r\"'0123456789-/.aé\x00", max_size=120))
def test_any_text_is_read_or_refused(tmp_path: Path, text: str) -> None:
    """No text makes anything but rows or a refusal."""
    path = table(tmp_path, text)
    try:
        init(tmp_path / "w", theatre="blank", data=path)
    except Refusal:
        return
