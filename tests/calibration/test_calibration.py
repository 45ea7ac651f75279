"""Calibration in its short form: twenty truths rank as the long form asks, and the form itself can fail."""

import ast
import sys
from pathlib import Path

import numpy as np
import paper
import pytest
import sbc

pytestmark = pytest.mark.calibration


def test_twenty_truths_rank_uniformly_among_their_posterior_draws() -> None:
    found = sbc.certificate("regimes", [sbc.ranks("regimes", number) for number in range(20)])
    assert found["ok"], {
        name: one["ranks"] for name, one in found["quantities"].items() if not one["uniform"]
    }


@pytest.mark.parametrize(
    ("a", "b", "ok"), [(1.0, 1.0, True), (2.0, 2.0, False), (0.5, 0.5, False), (1.0, 1.4, False)]
)
def test_ranks_that_are_narrow_wide_or_biased_are_told_from_uniform_ones(
    a: float, b: float, ok: bool
) -> None:
    u = np.random.default_rng(4).beta(a, b, size=1000)
    rows = [
        sbc.Ranked(ranks={"x": int(rank)}, doublings=0, failed=False) for rank in np.floor(u * (sbc.KEPT + 1))
    ]
    assert sbc.certificate("regimes", rows)["ok"] is ok


def test_uniform_ranks_leave_their_band_as_seldom_as_it_says() -> None:
    rng = np.random.default_rng(11)
    low, high = sbc.band(50, 0.2)
    counts = rng.multinomial(50, np.full(sbc.KEPT + 1, 1.0 / (sbc.KEPT + 1)), size=4000).cumsum(axis=1)[
        :, :-1
    ]
    outside = np.mean(np.any((counts < low) | (counts > high), axis=1))
    assert 0.12 < outside < 0.25  # ranks are whole: the band errs a little on the safe side


def test_a_certificate_of_other_code_is_stale(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(sbc, "CERTIFICATES", tmp_path)
    assert len(list(sbc.stale())) == len(sbc.MODELS)
    held = '{"code": "another", "simulations": 1000, "ok": true}'
    for model in sbc.MODELS:
        (tmp_path / f"{model}.json").write_text(held, encoding="utf-8", newline="")
    assert all("has changed" in line for line in sbc.stale())


def test_failed_fits_are_counted_and_keep_their_ranks() -> None:
    u = np.random.default_rng(4).integers(sbc.KEPT + 1, size=1000)
    for failed, ok in ((20, True), (21, False)):
        rows = [
            sbc.Ranked(ranks={"x": int(rank)}, doublings=2 * (n < 30), failed=n < failed)
            for n, rank in enumerate(u)
        ]
        found = sbc.certificate("regimes", rows)
        assert (found["ok"], found["failed fits"], found["lengthened fits"]) == (ok, failed, 30)
        assert len(found["quantities"]["x"]["ranks"]) == 1000


def test_histories_are_written_without_the_code_under_test() -> None:
    names = set()
    for node in ast.walk(ast.parse(Path(paper.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names.add(str(node.module).partition(".")[0])
        elif isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
    assert names <= {*sys.stdlib_module_names, "numpy", "scipy"}


def test_spells_on_paper_last_as_long_as_was_stated() -> None:
    """Ages on paper give the average that was stated where old age is rare, and a chain without memory at shape one."""
    assert paper._ending(8.0, 1.0) == pytest.approx(np.full(paper.OLD, 1.0 / 8.0))
    ends = paper._ending(4.0, 3.0)
    reached = np.concatenate([[1.0], np.cumprod(1.0 - ends[:-1])])
    assert reached.sum() == pytest.approx(4.0, abs=0.01)
