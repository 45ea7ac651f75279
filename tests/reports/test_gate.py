"""Every check stands once, a model that is only compared and fails says so, and weights say what they rest on."""

from collections.abc import Callable
from typing import Any

from reports.brief import Brief
from reports.compose import compose
from reports.document import Block, Paragraph, Table
from reports.text import read

type Edit = Callable[..., Brief]
type Json = dict[str, Any]


def checks(brief: Brief) -> tuple[Block, ...]:
    return next(section.blocks for section in compose(brief).sections if section.key == "checks")


def table(brief: Brief, key: str) -> Table:
    return next(block for block in checks(brief) if isinstance(block, Table) and block.key == key)


def check(name: str, *, ok: bool, value: float = 1.04) -> Json:
    return {"name": name, "value": value, "limit": "< 1.01", "ok": ok, "advice": "Run longer chains."}


def judged(frontier: Brief, edit: Edit, *, used: bool, compared: bool) -> Brief:
    """One check of a used and of a compared model; the gate repeats those of used models under their names."""
    first, second, third = (model.model_dump() for model in frontier.models)
    first["verdict"] = {"ok": used, "checks": [check("R-hat", ok=used)]}
    second["verdict"] = {"ok": True, "checks": []}
    third["verdict"] = {"ok": compared, "checks": [check("R-hat", ok=compared, value=1.2)]}
    gate = [check(f"{first['name']}: R-hat", ok=used), check("MCSE of probabilities", ok=True)]
    return edit(frontier, models=[first, second, third], verdict={"ok": used, "checks": gate})


def test_a_check_of_a_model_that_holds_stands_once(frontier: Brief, edit: Edit) -> None:
    brief = judged(frontier, edit, used=True, compared=True)
    assert [read(row[0]) for row in table(brief, "gate").rows] == ["MCSE of probabilities"]
    (row,) = table(brief, "model-checks").rows
    assert [read(cell) for cell in row] == ["R-hat", "< 1.01", "1.04", "1.2"]


def test_a_failed_check_of_a_used_model_stands_in_the_gate_with_its_advice(
    frontier: Brief, edit: Edit
) -> None:
    brief = judged(frontier, edit, used=False, compared=True)
    gate = [[read(cell) for cell in row] for row in table(brief, "gate").rows]
    assert gate[0] == ["Switching-level: R-hat", "1.04", "< 1.01", "FAILED", "Run longer chains."]
    assert table(brief, "model-checks").rows[0][2][0].strong


def test_a_model_that_is_only_compared_says_that_it_did_not_converge(frontier: Brief, edit: Edit) -> None:
    def told(brief: Brief) -> str:
        return " ".join(read(block.spans) for block in checks(brief) if isinstance(block, Paragraph))

    failed = told(judged(frontier, edit, used=True, compared=False))
    assert "Regimes: compared only; weight 0; not converged (R-hat 1.2, wanted < 1.01)." in failed
    assert "compared only; weight 0" not in told(judged(frontier, edit, used=True, compared=True))


def test_weights_tell_their_monte_carlo_error_their_origins_refits_and_largest_k(frontier: Brief) -> None:
    found = table(frontier, "models")
    row = [read(cell) for cell in found.rows[0]]
    assert row[4:8] == ["0.005", "30", "4", "0.542"]
    assert "switching-level to September 2023, March 2024, October 2024 and July 2025" in (found.note or "")
