"""Page eight: the gate, the models with their weights and what these rest on, and every check of every model."""

from dataclasses import replace

from reports.brief import Brief
from reports.cells import NOTHING, figures, measured, measured_range, texts
from reports.document import Block, Heading, Paragraph, Section, Table
from reports.headline import refused
from reports.text import Sentence, Span, capitalised, sentence
from reports.trust import Check
from reports.words import listed, month, number

CONVERGENCE = {"R-hat", "bulk ESS", "tail ESS", "divergences", "E-BFMI"}


def checks(brief: Brief) -> Section:
    """The gate, the models, their weights."""
    state = "Refused." if refused(brief) else "Forced." if brief.verdict.forced else "Passed."
    blocks: list[Block] = [
        Paragraph(spans=sentence(Span(text="The gate: ", strong=True), state)),
        _checks("gate", "Checks of the forecast as a whole, and whatever failed", _of_the_whole(brief)),
        Heading(text="Models"),
    ]
    blocks += [Paragraph(spans=sentence(brief.weights_sentence))] if brief.weights_sentence else []
    blocks.append(_models(brief))
    blocks += [Paragraph(spans=spans) for spans in _weak_rivals(brief)]
    if any(model.verdict.checks for model in brief.models):
        blocks.append(_by_model(brief))
    return Section(key="checks", number=8, title="Checks", blocks=tuple(blocks))


def _models(brief: Brief) -> Table:
    """Weights, and what they rest on."""
    rows: list[tuple[Sentence, ...]] = []
    for model in brief.models:
        failed = sum(not check.ok for check in model.verdict.checks)
        state = "passed" if model.verdict.ok else f"{failed} failed"
        role = "weighted" if model.role == "used" else "compared only"
        weighed = model.role == "used"
        rows.append(
            (
                sentence(model.name),
                sentence(role),
                measured(model.weight.mean) if weighed else NOTHING,
                measured_range(model.weight.q05, model.weight.q95) if weighed else NOTHING,
                measured(model.weight.mcse) if weighed else NOTHING,
                measured(model.origins),
                measured(len(model.refits)),
                measured(model.pareto_k),
                sentence(state),
            )
        )
    return Table(
        key="models",
        caption="Models and weights",
        columns=(
            *texts("Model", "Role"),
            *figures("Weight", "90\u00a0% interval", "MCSE", "Origins", "Refits", "Largest k"),
            *texts("Checks"),
        ),
        rows=tuple(rows),
        note=_weighed_on(brief),
    )


def _weighed_on(brief: Brief) -> str:
    """What origins, refits and k are, with the months of the refits."""
    refits = [
        f"{model.name} to {listed([month(name) for name in model.refits])}"
        for model in brief.models
        if model.refits
    ]
    told = f" Fitted again: {'; '.join(refits)}." if refits else ""
    return (
        "MCSE: Monte Carlo error of the weight. Origins: stretches of three months foreseen by draws that had not seen "
        f"them. Largest k: Pareto k of their importance weights, below 0.7 or the model is fitted again.{told}"
    )


def _weak_rivals(brief: Brief) -> list[Sentence]:
    """Models that are compared only and did not pass: their figures are no rivals of the forecast's."""
    told = []
    for model in brief.models:
        failed = [check for check in model.verdict.checks if not check.ok]
        if model.role == "used" or not failed:
            continue
        reasons = listed([f"{check.name} {_value(check)}, wanted {check.limit}" for check in failed])
        state = "not converged" if any(check.name in CONVERGENCE for check in failed) else "checks failed"
        told.append(sentence(f"{capitalised(model.name)}: compared only; weight 0; {state} ({reasons})."))
    return told


def _value(check: Check) -> str:
    return "not available" if check.value is None else number(check.value, decimals=4)


def _of_the_whole(brief: Brief) -> tuple[Check, ...]:
    """The gate's checks that belong to no model, and those that failed; the others stand with the models."""
    own = {f"{model.name}: {check.name}" for model in brief.models for check in model.verdict.checks}
    return tuple(check for check in brief.verdict.checks if not check.ok or check.name not in own)


def _by_model(brief: Brief) -> Table:
    """Every check of every model, once: a row each, a column for each model."""
    checked = [model for model in brief.models if model.verdict.checks]
    names = dict.fromkeys(check.name for model in checked for check in model.verdict.checks)
    rows = []
    for name in names:
        found = [next((c for c in model.verdict.checks if c.name == name), None) for model in checked]
        limits = dict.fromkeys(check.limit for check in found if check is not None)
        rows.append(
            (
                sentence(capitalised(name)),
                sentence(" or ".join(limits)),
                *(_outcome(check) for check in found),
            )
        )
    return Table(
        key="model-checks",
        caption="Checks of each model",
        columns=(*texts("Check", "Wanted"), *figures(*(model.name for model in checked))),
        rows=tuple(rows),
        note=None if all(model.verdict.ok for model in checked) else "In bold: failed.",
    )


def _outcome(check: Check | None) -> Sentence:
    if check is None:
        return NOTHING
    value = measured(check.value, decimals=4)
    return value if check.ok else sentence(tuple(replace(span, strong=True) for span in value))


def _checks(key: str, caption: str, entries: tuple[Check, ...]) -> Table:
    rows: tuple[tuple[Sentence, ...], ...] = tuple(
        (
            sentence(capitalised(check.name)),
            measured(check.value, decimals=4),
            sentence(check.limit),
            sentence(Span(text="passed") if check.ok else Span(text="FAILED", strong=True)),
            sentence((not check.ok and check.advice) or "–"),
        )
        for check in entries
    )
    columns = (*texts("Check"), *figures("Value"), *texts("Wanted", "Outcome", "What to do"))
    if all(check.ok or check.advice is None for check in entries):
        columns, rows = columns[:-1], tuple(row[:-1] for row in rows)
    return Table(key=key, caption=caption, columns=columns, rows=rows)
