"""The page tells the truth of the brief, asks nobody for anything, runs nothing of anybody else, repeats."""

import base64
import hashlib
import html as entities
import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

import pytest

from reports.brief import Brief
from reports.document import Document, Listing, Paragraph, Table
from reports.html import render_html
from reports.spec import Figure
from reports.text import Sentence

NAMES = ["frontier", "refused", "second", "grown", "hostile"]
VOID = {"meta", "link", "br", "img", "input", "path", "rect", "line"}


class Page(HTMLParser):
    """Elements with their attributes and text, data elements, scripts, and the open tags left at the end."""

    def __init__(self, text: str) -> None:  # noqa: D107
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.data: list[tuple[float, str]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: D102
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "data":
            self.data.append((float(dict(attrs)["value"] or "nan"), ""))
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: D102
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:  # noqa: D102
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, text: str) -> None:  # noqa: D102
        if "script" in self.open:
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + text)
        elif "style" not in self.open:
            self.text += text
            if "data" in self.open:
                value, told = self.data[-1]
                self.data[-1] = (value, told + text)


@pytest.fixture(scope="module")
def parsed(pages: Mapping[str, str]) -> Mapping[str, Page]:
    return {name: Page(text) for name, text in pages.items()}


def sentences(document: Document) -> list[Sentence]:
    found: list[Sentence] = [*document.front.headline, document.footer]
    for bar in document.front.bars:
        found += [(bar.percent,), bar.interval]
    for line in document.front.lines:
        found += line.sentences
    for block in (block for section in document.sections for block in section.blocks):
        if isinstance(block, Paragraph):
            found.append(block.spans)
        elif isinstance(block, Listing):
            found += block.items
        elif isinstance(block, Table):
            found += [cell for row in block.rows for cell in row]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_policy_names_the_hashes_of_our_own_scripts_and_nothing_else(
    parsed: Mapping[str, Page], name: str
) -> None:
    metas = [attributes for tag, attributes in parsed[name].elements if tag == "meta"]
    policy = next(m["content"] or "" for m in metas if m.get("http-equiv") == "Content-Security-Policy")
    running = [text for attributes, text in parsed[name].scripts if attributes.get("type") == "module"]
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in running]
    allowed = " ".join(f"'sha256-{each}'" for each in hashes)
    assert len(running) == 2
    assert policy == f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}"


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_loaded_and_links_lead_only_to_the_web_or_the_page(
    parsed: Mapping[str, Page], name: str
) -> None:
    for tag, attributes in parsed[name].elements:
        assert tag not in {"iframe", "object", "embed", "base", "form", "img", "audio", "video"}
        assert not any(
            key.startswith("on") or key in {"src", "srcset", "ping", "formaction"} for key in attributes
        )
        if tag == "link":
            assert attributes["href"] == "data:,"
        elif "href" in attributes:
            assert re.match(r"https?://|#", attributes["href"] or "")
    assert "@import" not in "".join(text for text in parsed[name].text)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_well_nested_and_its_data_are_json(parsed: Mapping[str, Page], name: str) -> None:
    assert parsed[name].open == []
    blocks = [
        (attributes, text)
        for attributes, text in parsed[name].scripts
        if attributes.get("type") == "application/json"
    ]
    assert len(blocks) == 1
    specs = json.loads(blocks[0][1])
    charts = {
        (attributes.get("id") or "").removeprefix("figure-")
        for _, attributes in parsed[name].elements
        if attributes.get("role") == "img"
    }
    assert set(specs) == charts
    assert len(parsed[name].scripts) == 3


@pytest.mark.parametrize("name", NAMES)
def test_every_stated_number_is_in_the_page_as_text_and_as_data(
    parsed: Mapping[str, Page], documents: Mapping[str, Document], name: str
) -> None:
    stated = {
        (span.value, span.text)
        for spans in sentences(documents[name])
        for span in spans
        if span.value is not None
    }
    assert stated <= set(parsed[name].data)


def test_the_resolved_probabilities_are_those_of_the_record(
    parsed: Mapping[str, Page], record: Mapping[str, Any]
) -> None:
    data = parsed["frontier"].data
    for quarter in [record["current_quarter"], *record["quarters"]]:
        for estimate in quarter["resolved"].values():
            texts = [text for value, text in data if value == estimate["mean"]]
            assert texts
            assert all(
                abs(float(text.removesuffix("\u00a0%")) - 100 * estimate["mean"]) < 1 for text in texts
            )
            assert {estimate["q05"], estimate["q95"]} <= {value for value, _ in data}


@pytest.mark.parametrize("name", NAMES)
def test_a_number_and_its_text_agree(parsed: Mapping[str, Page], name: str) -> None:
    """Every percent within one point; every other number within half a percent of itself."""
    for value, text in parsed[name].data:
        digits = text.removesuffix("\u00a0%").replace(",", "").replace("−", "-").lstrip("▲▼ +")
        if digits.startswith("under "):
            assert value < float(digits.removeprefix("under ")) / (100 if "." not in digits else 1)
        elif digits.startswith("over "):
            assert value > 0.99
        elif text.endswith("%"):
            assert abs(float(digits) - 100 * value) < 1
        else:
            shown = float(digits)
            assert (
                min(
                    abs(shown - value) / max(abs(value), 1e-9),
                    abs(shown - 100 * value),
                    abs(shown - value) / 0.05,
                )
                <= 1
            )


def test_the_bars_add_to_a_hundred(documents: Mapping[str, Document]) -> None:
    assert (
        sum(int(bar.percent.text.removesuffix("\u00a0%")) for bar in documents["frontier"].front.bars) == 100
    )


def test_attacks_are_shown_as_text(pages: Mapping[str, str], parsed: Mapping[str, Page]) -> None:
    body = re.sub("<script.*?</script>", "", pages["hostile"], flags=re.DOTALL)
    assert "<img" not in body
    assert "alert(1)" in parsed["hostile"].text
    assert not any(sign in body for sign in ("\x1b", "\x00", "\u202e", "\u2066"))
    assert {tag for tag, _ in parsed["hostile"].elements} == {tag for tag, _ in parsed["frontier"].elements}


def test_hostile_texts_are_still_readable(pages: Mapping[str, str], hostile: Brief) -> None:
    assert entities.escape(hostile.scenarios[0].rule) in pages["hostile"].replace("&#39;", "&#x27;").replace(
        "&#34;", "&quot;"
    )


def test_a_refusal_stands_before_anything_else(parsed: Mapping[str, Page]) -> None:
    text = parsed["refused"].text
    body = text[text.index("REFUSED") :]
    assert text.index("REFUSED: not issued") < text.index("European Centre")
    assert body.startswith("REFUSED: not issued. This run did not pass its checks.")
    assert "No forecast is issued: one of ten checks failed." in body


def test_two_pages_of_one_brief_are_one(
    pages: Mapping[str, str], documents: Mapping[str, Document], drawn: Mapping[str, Mapping[str, Figure]]
) -> None:
    assert render_html(documents["frontier"], drawn["frontier"]) == pages["frontier"]


@pytest.mark.parametrize("name", NAMES)
def test_tables_have_captions_and_heads(parsed: Mapping[str, Page], name: str) -> None:
    tags = [tag for tag, _ in parsed[name].elements]
    assert tags.count("table") == tags.count("caption")
    assert all(
        attributes.get("scope") in {"col", "row"} for tag, attributes in parsed[name].elements if tag == "th"
    )
    assert [tag for tag in tags if tag in {"h1", "h2"}].count("h1") == 1
