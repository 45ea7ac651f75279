"""The wheel is what a user gets: four packages, their data, one command, and nothing else."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout without a network."""
    out = tmp_path_factory.mktemp("wheel with a space é")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)], cwd=ROOT, check=True
    )
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_holds_four_packages_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
    assert top == {"forecast", "models", "priors", "reports"}
    wanted = {
        "priors/frontier.toml",
        "forecast/theatres/frontier/forecast.toml",
        "forecast/theatres/frontier/data/country_months.csv",
        "reports/templates/report.html.j2",
        "forecast/py.typed",
    }
    assert wanted <= set(names)
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests")]


def test_the_installed_wheel_answers_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """The command runs from the unpacked wheel alone, in a folder with a space and an accent."""
    site = tmp_path / "é site"
    zipfile.ZipFile(wheel).extractall(site)
    program = "import sys; from forecast.cli import main; sys.exit(main(['init', 'new workspace']))"
    environment = {**os.environ, "PYTHONPATH": str(site), "LC_ALL": "C"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "new workspace" / "forecast.toml").is_file()
    assert (tmp_path / "new workspace" / "priors.toml").read_bytes() == (
        ROOT / "priors" / "frontier.toml"
    ).read_bytes()
