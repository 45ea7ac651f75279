"""Whatever bytes come, they are read or refused; nothing else ever happens."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.ingest import ingest, text_of
from priors.refusal import Refusal

SHEETS = (
    b"month,front,stream,count\n2020-01,north,deaths,3\n2020-02,south,deaths,\n",
    b"start,end,kind,date_quality,source_url,known_from\n2020-01-05,2020-01-07,clash,exact,https://example.org,2020-01-08\n",
    b"id,country,date_start,date_end,best,low,high\n1,Mali,2020-01-05,2020-03-05,3,1,4\n",
    b'date,front,stream,count,note\n2020-01-05,north,deaths,3,"a, b"\n',
)
PIECES = (
    b",",
    b'"',
    b"\n",
    b"\r",
    b"\0",
    b";",
    b"-",
    b"9",
    b"\xff",
    b"\xd9\xa3",
    "ı".encode(),
    b"e",
    b" ",
    b"#",
    b"=",
    b"'",
)


@st.composite
def damaged(draw):
    """A good file with a few bytes put in, taken out or repeated."""
    content = draw(st.sampled_from(SHEETS))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 12))
        content = (
            content[:place]
            + draw(st.sampled_from((*PIECES, content[place : place + 20])))
            + content[place + length :]
        )
    return content


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("bytes") / "x.csv"


@settings(deadline=None, max_examples=300)  # reading imports what it needs on first use
@given(content=st.one_of(damaged(), st.binary(max_size=200)))
def test_bytes_are_read_or_refused(path, content):
    path.write_bytes(content)
    try:
        made, refused = ingest([path]), None
    except Refusal as refusal:
        made, refused = None, str(refusal)
    if refused is None:
        assert made.first <= made.last
        assert text_of(made).count("\n") > len(made.frame)
    else:
        assert refused.isprintable()
        assert "x.csv" in refused
