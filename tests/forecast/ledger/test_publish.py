"""A run is there whole, with its row in the ledger, or it is not there."""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast import ledger as book
from forecast import publish
from priors.refusal import Refusal

RUN, AT = "2026-06-30-7f3a9c21", "2026-06-30T12:00:00Z"
SCRIPT = Path(__file__).with_name("publish_once.py")


def finish(output, record):
    """What the next start does, and the state it must find: nothing, or a whole run with its row."""
    ledger = output / "ledger.sqlite"
    with publish.exclusive(output):
        publish.recover(output, ledger=ledger)
    left = [path.name for path in (output / "runs").iterdir() if path.name != ".lock"]
    if book.issued(ledger, RUN) is None:
        assert left == []
        return False
    assert left == [RUN]
    run = output / "runs" / RUN
    assert (run / "forecast.json").read_text(encoding="utf-8") == record
    outputs = json.loads((run / "manifest.json").read_text(encoding="utf-8"))["outputs"]
    assert sorted(outputs) == ["forecast.json", "report.html", "tables/quarters.csv"]
    assert all(publish.digest(run / name) == digest for name, digest in outputs.items())
    assert book.verify(ledger).count == 3
    assert book.verify(ledger).ok
    return True


@pytest.fixture
def staged(tmp_path, record):
    """A run set aside, complete."""
    folder = publish.stage(tmp_path, RUN, ledger=tmp_path / "ledger.sqlite")
    (folder / "forecast.json").write_text(record(), encoding="utf-8")
    return folder


def test_a_published_run_is_whole(tmp_path, record, once):
    once["publish_once"](tmp_path, record(), RUN, AT)
    assert finish(tmp_path, record())


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_error_at_any_step_leaves_the_old_state_or_the_new(tmp_path, record, once, when):
    def fail():
        raise OSError(28, "No space left on device")

    ends = set()
    for k in range(1, 1000):
        output = tmp_path / str(k)
        output.mkdir()
        with once["stopping"](k, when, fail) as steps:
            try:
                once["publish_once"](output, record(), RUN, AT)
            except (OSError, Refusal):
                stopped = True
            else:
                stopped = False  # past the last step, or a folder that was there already
        assert stopped or finish(output, record())
        if steps[0] < k:
            break
        ends.add(finish(output, record()))
        if k % 5 == 0 and book.issued(output / "ledger.sqlite", RUN) is None:
            once["publish_once"](output, record(), RUN, AT)
            assert finish(output, record())  # it can be done again
    assert k > 25
    assert ends == {False, True}


def test_a_process_killed_at_any_step_leaves_the_old_state_or_the_new(tmp_path, record, once):
    """Every sixth step here, the last ones all; `make torture` takes them all, many times."""
    text = tmp_path / "record.json"
    text.write_text(record(), encoding="utf-8")
    (tmp_path / "count").mkdir()
    with once["stopping"](0, "before", lambda: None) as steps:
        once["publish_once"](tmp_path / "count", record(), RUN, AT)
    total = steps[0]

    def killed(k):
        output = tmp_path / f"killed-{k}"
        output.mkdir()
        ran = subprocess.run(
            [sys.executable, str(SCRIPT), str(output), str(text), RUN, AT, str(k), "before"], check=False
        )
        assert ran.returncode == 9
        return finish(output, record())

    with ThreadPoolExecutor(2) as pool:
        ends = set(pool.map(killed, [*range(1, total - 5, 6), *range(total - 5, total + 1)]))
    assert ends == {False, True}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the script forks")
def test_a_command_killed_at_any_step_is_finished_by_the_next(tmp_path, second):
    """The whole of `forecast run` but its fits, which are draws of the priors; every 32nd step and the last ones here."""
    theatre = second(tmp_path / "second")
    place = tmp_path / "place"
    place.mkdir()
    script = SCRIPT.with_name("run_killed.py")
    done = subprocess.run(
        [sys.executable, str(script), str(theatre), str(place), "32"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(steps) >= 6
    for step in steps:
        assert step["killed"], step
        assert step["whole"], step  # what bears a name is complete, and is on record
        assert step["again"] == 0, step
        assert step["same"] == [True], step  # byte for byte the run that was never killed
        assert step["rows"] == step["runs"], step
        assert step["sound"], step
    assert {step["issued"] for step in steps} == {0, 1}


def test_two_processes_append_side_by_side(tmp_path, record):
    ledger = tmp_path / "ledger.sqlite"
    script = (
        "import json, sys\nfrom forecast import ledger\nwho, path, text = sys.argv[1:]\n"
        "record = json.loads(open(text, encoding='utf-8').read())\n"
        "for n in range(50):\n"
        "    said = json.dumps({**record, 'run': f'{who}-{n}', 'timing': 'retrospective'})\n"
        "    ledger.append_forecast(path, said, issued_at=record['issued_at'])\n"
    )
    text = tmp_path / "record.json"
    text.write_text(record(), encoding="utf-8")
    writers = [
        subprocess.Popen([sys.executable, "-c", script, who, str(ledger), str(text)]) for who in ("a", "b")
    ]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    runs = {issued.run for issued in book.forecasts(ledger)}
    assert runs == {f"{who}-{n}" for who in "ab" for n in range(50)}
    assert book.verify(ledger).ok


def test_a_refused_run_is_kept_without_a_row(tmp_path, staged):
    final = publish.keep_refused(staged)
    assert final == tmp_path / "runs" / RUN
    assert (final / "forecast.json").is_file()
    assert book.head(tmp_path / "ledger.sqlite").count == 0
    with pytest.raises(Refusal, match="it was not issued; remove it"):
        publish.stage(tmp_path, RUN, ledger=tmp_path / "ledger.sqlite")


def test_a_run_is_never_replaced(tmp_path, staged):
    ledger = tmp_path / "ledger.sqlite"
    head = publish.commit(staged, ledger=ledger, issued_at=AT)
    assert head == book.head(ledger)
    with pytest.raises(Refusal, match="it was issued"):
        publish.stage(tmp_path, RUN, ledger=ledger)
    os.rename(tmp_path / "runs" / RUN, tmp_path / "elsewhere")
    with pytest.raises(Refusal, match="cannot be issued again"):
        publish.stage(tmp_path, RUN, ledger=ledger)


def test_what_was_set_aside_under_an_issued_name_with_other_content_is_removed(tmp_path, staged):
    ledger = tmp_path / "ledger.sqlite"
    publish.commit(staged, ledger=ledger, issued_at=AT)
    other = tmp_path / "runs" / f".staging-{RUN}"
    os.rename(tmp_path / "runs" / RUN, other)
    (other / "forecast.json").write_text("{}", encoding="utf-8")
    assert publish.recover(tmp_path, ledger=ledger) == ()
    assert not other.exists()


def test_one_run_at_a_time_in_a_workspace(tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "PATIENCE", 0.05)
    with (
        publish.exclusive(tmp_path),
        pytest.raises(Refusal, match="another run being written"),
        publish.exclusive(tmp_path),
    ):
        pass
    with publish.exclusive(tmp_path):
        assert [path.name for path in (tmp_path / "runs").iterdir()] == [".lock"]


def test_the_manifest_names_every_input_and_output(tmp_path, staged):
    source = tmp_path / "counts.csv"
    source.write_text("month,count\n", encoding="utf-8")
    (staged / "tables").mkdir()
    (staged / "tables" / "a.csv").write_text("a\n", encoding="utf-8")
    said = json.loads(
        publish.write_manifest(staged, inputs={"data/counts.csv": source}, facts={"seed": 7}).read_text(
            "utf-8"
        )
    )
    assert said["inputs"] == {"data/counts.csv": publish.digest(source)}
    assert sorted(said["outputs"]) == ["forecast.json", "tables/a.csv"]
    assert said["seed"] == 7
    with pytest.raises(ValueError, match="not JSON compliant"):
        publish.write_manifest(staged, inputs={}, facts={"seconds": float("nan")})


def test_a_run_is_named_by_its_day_and_its_inputs():
    assert publish.run_id("2026-06-30", "7f3a9c21" + "0" * 56) == RUN


@pytest.mark.parametrize(
    "run",
    ["", "-a", "A", "a b", "a/b", "../a", "/etc/passwd", "a" * 65, "a\n", "a.b", "é", "nul", "con", "com1", "lpt9",
     ".staging-a", "a:b", "a\\b", "a\x00"],
)  # fmt: skip
def test_what_cannot_name_a_folder_everywhere_is_refused(tmp_path, run):
    with pytest.raises(Refusal, match="wanted a run id"):
        publish.stage(tmp_path, run, ledger=tmp_path / "ledger.sqlite")


@given(st.text(max_size=70))
def test_no_accepted_id_leaves_its_folder(text):
    try:
        run = publish.checked_id(text)
    except Refusal:
        return
    assert re.fullmatch("[a-z0-9-]+", run)
    assert (Path("/runs") / run).parent == Path("/runs")


@pytest.mark.skipif(os.name == "nt", reason="making a link takes a privilege on Windows")
def test_runs_is_a_folder_of_its_own(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "runs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refusal, match="remove the link"):
        publish.recover(tmp_path, ledger=tmp_path / "ledger.sqlite")


def test_an_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(Refusal, match="made and written to"), publish.exclusive(tmp_path / "file"):
        pass
