"""The PDF says what the document says, in its order, to everyone, in the same bytes, and runs nothing."""

import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdf
import pytest

from reports.brief import Brief
from reports.document import Document, Exhibit, Heading, Listing, Paragraph, Table
from reports.pdf import drawable, payload, render_pdf
from reports.spec import Figure
from reports.text import read
from reports.words import percents, quarter

NAMES = ["frontier", "refused", "second", "grown", "hostile"]
READ_IN_ORDER = NAMES[:4]  # an extractor turns right-to-left words around


@pytest.fixture(scope="module")
def files(
    every_brief: Mapping[str, Brief],
    drawn: Mapping[str, Mapping[str, Figure]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Mapping[str, bytes]:
    """Every brief as PDF."""
    folder = tmp_path_factory.mktemp("pdf")
    return {
        name: render_pdf(brief, drawn[name], folder / f"{name}.pdf").read_bytes()
        for name, brief in every_brief.items()
    }


@pytest.fixture(scope="module")
def readers(files: Mapping[str, bytes]) -> Mapping[str, pypdf.PdfReader]:
    """Every PDF opened by a reader that is not ours."""
    return {name: pypdf.PdfReader(BytesIO(content), strict=True) for name, content in files.items()}


@pytest.fixture(scope="module")
def texts(readers: Mapping[str, pypdf.PdfReader]) -> Mapping[str, list[str]]:
    """The text of every page, extracted once."""
    return {name: pages_of(readers[name]) for name in READ_IN_ORDER}


def closed_up(text: str) -> str:
    """Text without white space, which a page may break anywhere."""
    return re.sub(r"\s+", "", text)


def pages_of(reader: pypdf.PdfReader) -> list[str]:
    """The text of each page in reading order, without white space and without the running foot."""
    foot = re.compile(r"[^\n]*\d+ of \d+\s*$|^[^\n]* · Run [^\n]*\n\d+ of \d+")
    return [closed_up(foot.sub("", page.extract_text())) for page in reader.pages]


def structure(reader: pypdf.PdfReader) -> Iterator[dict[str, Any]]:
    """Every element of the tag tree, in order."""
    stack = [reader.trailer["/Root"]["/StructTreeRoot"]]
    while stack:
        node = stack.pop().get_object()
        if "/S" in node:
            yield node
        kids = node.get("/K", [])
        kids = kids if isinstance(kids, list) else [kids]
        stack += [kid for kid in reversed(kids) if isinstance(kid.get_object(), dict)]


def spoken(document: Document, layouts: Iterator[Any]) -> Iterator[str]:
    """Every sentence, cell and caption in the order a reader meets them."""
    front = document.front
    for banner in document.banners:
        yield from (banner.title, *map(read, banner.sentences))
    yield from (front.kicker, front.dateline, *map(read, front.headline), front.bars_title)
    for bar in front.bars:
        yield from (bar.title, bar.percent.text, read(bar.interval), bar.words)
        yield from (bar.change.text,) if bar.change else ()
    yield front.bars_note
    for line in front.lines:
        yield from (line.label, *map(read, line.sentences))
    for section in document.sections:
        yield f"{section.number}{section.title}"
        for block in section.blocks:
            match block:
                case Paragraph(spans=spans):
                    yield read(spans)
                case Listing(lead=lead, items=items):
                    yield from (lead, *map(read, items))
                case Heading(text=text):
                    yield text
                case Table():
                    yield block.caption
                    layout = next(layouts)
                    yield from (block.columns[i].title for i in layout["short"])
                    for row in block.rows:
                        yield from (read(row[i]) for i in drawn_order(layout))
                    yield block.note or ""


def drawn_order(layout: Mapping[str, Any]) -> tuple[int, ...]:
    """A head that spans two rows is drawn after its first row; its tag comes first all the same."""
    head, *rest = layout["short"]
    return (*rest, head, *layout["long"]) if layout["long"] else (head, *rest)


def tables(laid_out: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The tables as the template is given them."""
    every = (block for section in laid_out["sections"] for block in section["blocks"])
    return (block for block in every if block["is"] == "Table")


@pytest.mark.parametrize("name", READ_IN_ORDER)
def test_every_sentence_and_number_of_the_document_is_read_in_its_order(
    name, every_brief, documents, drawn, texts
):
    text = "".join(texts[name])
    place = 0
    for words in spoken(documents[name], tables(payload(every_brief[name], drawn[name]))):
        found = text.find(closed_up(words), place)
        assert found >= 0, f"{words!r} does not follow {text[max(0, place - 60) : place]!r}"
        place = found + len(closed_up(words))


def test_every_probability_of_the_record_stands_beside_its_quarter_and_scenario(record, texts):
    text = "".join(texts["frontier"])
    titles = [scenario["title"] for scenario in record["scenarios"]]
    for entry in record["quarters"]:
        estimates = [entry["resolved"][scenario["id"]] for scenario in record["scenarios"]]
        shown = percents([e["mean"] for e in estimates], [e["mcse"] for e in estimates]).spans
        for title, span in zip(titles, shown, strict=True):
            assert closed_up(f"{quarter(entry['quarter'])} {title} {span.text}") in text


@pytest.mark.parametrize("name", NAMES)
def test_typst_has_marked_it_accessible_and_archivable(name, every_brief, documents, readers):
    reader = readers[name]
    root = reader.trailer["/Root"]
    meta = root["/Metadata"].get_object().get_data().decode("utf-8")
    assert "<pdfuaid:part>1</pdfuaid:part>" in meta
    assert "<pdfaid:part>2</pdfaid:part>" in meta
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in meta
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == documents[name].language
    assert reader.metadata.title == documents[name].title
    assert "/JavaScript" not in str(root)


@pytest.mark.parametrize("name", NAMES)
def test_every_chart_says_in_its_tag_what_it_shows(name, documents, drawn, readers):
    document = documents[name]
    shown = [
        *document.front.exhibits,
        *(b for s in document.sections for b in s.blocks if isinstance(b, Exhibit)),
    ]
    alts = [node["/Alt"] for node in structure(readers[name]) if node["/S"] == "/Figure"]
    assert alts == [drawn[name][exhibit.key].alt for exhibit in shown]


def test_the_outline_has_page_one_and_every_section(documents, readers):
    document = documents["frontier"]
    marks = [mark.title for mark in readers["frontier"].outline if not isinstance(mark, list)]
    assert marks == [document.front.bars_title, *(f"{s.number} {s.title}" for s in document.sections)]


@pytest.mark.parametrize("name", NAMES)
def test_every_font_is_embedded_and_comes_with_a_package(name, readers):
    found: dict[str, bool] = {}

    def collect(resources: Any) -> None:
        for font in resources.get("/Font", {}).values():
            for part in font.get_object().get("/DescendantFonts", []):
                descriptor = part.get_object()["/FontDescriptor"].get_object()
                embedded = any(key in descriptor for key in ("/FontFile", "/FontFile2", "/FontFile3"))
                found[descriptor["/FontName"].partition("+")[2]] = embedded
        for inner in resources.get("/XObject", {}).values():
            collect(inner.get_object().get("/Resources", {}))

    for page in readers[name].pages:
        collect(page["/Resources"])
    assert all(found.values())
    assert {re.split("-|Sans$", font)[0] for font in found} <= {"SourceSansPro", "DejaVu", "DejaVuSans"}
    assert "SourceSansPro-Regular" in {font.removesuffix("-Identity-H") for font in found}


@pytest.mark.parametrize("name", READ_IN_ORDER)
def test_page_one_is_one_page(name, documents, texts):
    last = read(documents[name].front.lines[-1].sentences[-1])
    assert closed_up(last) in texts[name][0]
    assert texts[name][1].startswith("2Scenarios")


def test_a_refusal_is_read_before_anything_else(texts):
    text = texts["refused"][0]
    assert text.startswith("REFUSED:notissued")
    assert text.index("Retrospective") < text.index("EuropeanCentre")


def test_the_same_brief_gives_the_same_bytes(every_brief, drawn, files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "Asia/Karachi")
    again = render_pdf(every_brief["frontier"], drawn["frontier"], Path("again.pdf"))
    assert again.read_bytes() == files["frontier"]


def test_nothing_an_analyst_writes_is_interpreted(edit, second, tmp_path):
    attack = '#eval("6*7") #panic() $x^2$ [*b*] <label> @ref \\ "q" // c `raw` _u_ #{1} ]]> {{ x }}'
    source = {"id": "s", "citation": attack, "licence": attack, "notes": [attack]}
    brief = edit(second, notes=[attack], sources=[source], title=attack)
    pdf = render_pdf(brief, _figures(brief), tmp_path / "attack.pdf")
    reader = pypdf.PdfReader(pdf)
    assert reader.metadata is not None
    assert reader.metadata.title == attack
    assert "".join(pages_of(reader)).count(closed_up(attack)) == 5  # kicker, note, citation, licence, note


def test_a_control_sequence_is_shown_and_a_letter_without_a_glyph_is_named(edit, second, tmp_path):
    brief = edit(second, notes=["\u202egnp \x1b[31mred \u6226\U0001f642", "می\u200cخواهد ښار"])
    pdf = render_pdf(brief, _figures(brief), tmp_path / "letters.pdf")
    text = "".join(pages_of(pypdf.PdfReader(pdf)))
    assert "\\u202egnp\\x1b[31mred\\u6226\\U0001f642" in text
    assert drawable("می\u200cخواهد ښار") == "می\u200cخواهد ښار"


def test_a_word_without_a_blank_stays_on_the_page(edit, second, tmp_path):
    brief = edit(second, notes=["x" * 300])
    reader = pypdf.PdfReader(render_pdf(brief, _figures(brief), tmp_path / "long.pdf"))
    lines = [line for page in reader.pages for line in page.extract_text().split("\n") if "xxxx" in line]
    assert len(lines) >= 3
    assert max(map(len, lines)) <= 120


def test_a_link_leads_only_where_it_says(edit, second, tmp_path):
    source = {"id": "s", "citation": "See https://example.org/a. And javascript:alert(1) file:///etc/passwd"}
    brief = edit(second, sources=[source])
    reader = pypdf.PdfReader(render_pdf(brief, _figures(brief), tmp_path / "link.pdf"))
    notes = (note.get_object() for page in reader.pages for note in page.get("/Annots", []))
    assert {note["/A"]["/URI"] for note in notes} == {"https://example.org/a"}


def test_a_moment_without_a_zone_is_universal_time(edit, second, tmp_path):
    made = [
        render_pdf(edit(second, issued_at=moment), _figures(second), tmp_path / f"{i}.pdf")
        for i, moment in enumerate(("2026-11-24T08:00:00", "2026-11-24T08:00:00Z"))
    ]
    dates = {pypdf.PdfReader(path).metadata.creation_date for path in made}  # type: ignore[union-attr]
    assert len(dates) == 1


def _figures(brief: Brief) -> Mapping[str, Figure]:
    from reports.figures import figures

    return figures(brief)
