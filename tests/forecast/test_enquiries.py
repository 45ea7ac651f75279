"""What is asked without a fit agrees with the data and the beliefs it is asked of."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from forecast.enquiries import past, prior_check, prior_show


@pytest.fixture(scope="module")
def theatre(second: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return second(tmp_path_factory.mktemp("enquiries") / "second")


def counts(theatre: Path) -> dict[str, list[int]]:
    """The file by quarter, read by hand."""
    quarters: dict[str, list[int]] = {}
    for line in (theatre / "data" / "counts.csv").read_text("utf-8").splitlines()[1:]:
        month, _, _, n = line.split(",")
        quarters.setdefault(f"{month[:4]}Q{(int(month[5:]) + 2) // 3}", []).append(int(n))
    return quarters


def test_the_past_resolves_as_the_rule_says(theatre: Path) -> None:
    record = past(theatre)
    expected = {q: "violent" if sum(row) / 3 >= 10 else "quiet" for q, row in counts(theatre).items()}
    assert {row["quarter"]: row["resolved"] for row in record["quarters"]} == expected
    occurred = Counter(expected.values())
    assert {s["id"]: s["precedents"] for s in record["scenarios"]} == occurred
    assert record["without_precedent"] == []


def test_the_smallest_revision_that_flips_a_quarter_flips_it_and_no_more(theatre: Path) -> None:
    rows = counts(theatre)
    for row in past(theatre)["quarters"]:
        total = sum(rows[row["quarter"]]) / 3
        for flip in row["flips"]:
            assert total * flip["factor"] == pytest.approx(10, rel=0.005)
            assert flip["to"] == ("violent" if total * flip["factor"] >= 10 else "quiet") != row["resolved"]


def test_a_rule_seldom_fires_at_rest_and_more_often_near_it(theatre: Path) -> None:
    rates = past(theatre)["noise"]["violent"]
    assert 0 <= rates["nothing_changes"] <= rates["level_walks"] + 0.01 < 0.05
    text = (theatre / "scenarios.toml").read_text("utf-8")
    (theatre / "scenarios.toml").write_text(text.replace("= 10 }", "= 5 }"), encoding="utf-8", newline="")
    record = past(theatre)
    (theatre / "scenarios.toml").write_text(text, encoding="utf-8", newline="")
    assert record["noise"]["violent"]["nothing_changes"] > 0.4
    assert any("Violent" in sentence for sentence in record["warnings"])


def test_beliefs_are_counted_and_their_regimes_seen(theatre: Path) -> None:
    record = prior_check(theatre)
    assert (record["priors"], record["statements"]) == ("second", 5)
    assert record["visibility"]["quiet"] is None  # the reference
    assert record["visibility"]["violent"]["visible"] is True


def test_what_beliefs_imply_is_what_they_say(theatre: Path) -> None:
    stages: list[str] = []

    def watch(stage: str, /, done: int = 0, total: int = 0, note: str = "") -> None:
        stages.append(stage)

    record = prior_show(theatre, progress=watch)
    assert stages == ["asking the priors"]
    assert record["priors"] == "second"
    text = str(record["implied"])
    assert "quiet" in text
    assert "violent" in text
    assert record["before"]
