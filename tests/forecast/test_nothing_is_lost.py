"""A command never writes over what it reads, and the files for other programs hold the ensemble."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from forecast.cli import main
from forecast.scenarios import mixture
from forecast.workspace import load
from priors.refusal import Refusal

COUNTS = "month,front,stream,count\n2020-01,a,raids,3\n2020-02,a,raids,4\n"


def test_ingest_refuses_to_write_over_its_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = tmp_path / "raw.csv"
    raw.write_text(COUNTS, encoding="utf-8")
    assert main(["ingest", str(raw), "-o", str(raw)]) == 2
    assert "an input file" in capsys.readouterr().err
    assert raw.read_text(encoding="utf-8") == COUNTS


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_the_ledger_is_never_exported_onto_itself(tmp_path: Path, suffix: str, capsys) -> None:
    from forecast.ledger import open_ledger

    ledger = tmp_path / "ledger.sqlite"
    with open_ledger(ledger, write=True):
        pass
    before = ledger.read_bytes()
    assert main(["ledger", "export", "--output", str(tmp_path), "--to", f"{ledger}{suffix}"]) == 2
    assert "the ledger itself" in capsys.readouterr().err
    assert ledger.read_bytes() == before


@pytest.mark.parametrize("share", [0.0, 0.25, 0.65, 1.0])
def test_a_mixture_holds_as_many_draws_of_a_model_as_its_weight_asks_for(share: float) -> None:
    dims = ("draw", "path", "stream", "month")
    zeros, ones = (xr.Dataset({"count": (dims, np.full((200, 3, 1, 2), k))}) for k in (0, 1))
    found = mixture([ones, zeros], [share, 1 - share])["count"]
    assert found.sizes["draw"] == 200
    assert float(found.mean()) == pytest.approx(share, abs=1 / 200)


def test_an_earlier_date_leaves_later_masks_and_labels_alone(tmp_path: Path) -> None:
    place = tmp_path / "frontier"
    assert main(["init", str(place)]) == 0
    file = place / "forecast.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("as_of    = 2026-06-30", "as_of    = 2025-03-31"), encoding="utf-8")
    assert str(load(place).config.time.as_of) == "2025-03-31"
    file.write_text(text.replace('months = ["2025-05"]', 'months = ["2021-05"]'), encoding="utf-8")
    with pytest.raises(Refusal, match="a month of the window"):
        load(place)
