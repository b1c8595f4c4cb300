"""Speed and peak memory of loanwatch beside other tools, whole processes on the same Parquet files.

    python benchmarks/peers.py                                  # all tools, 22,000 rows
    python benchmarks/peers.py --rows 22000 2200000 --tools evidently frouros
    python benchmarks/peers.py --rounds 5                       # medians of five runs of each, taken in turn

Each tool gets an environment of its own under `--cache`, made when it is first asked for; none is a dependency. A tool
that cannot be installed or fails is said to have failed, with its last line. What is measured includes imports,
reading, and the HTML page where the tool writes one; the tools run one after another, and with several rounds in turn,
so that a machine that becomes slower becomes so for all of them.
"""

import argparse
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from tables import Spent, loan_tables, measure

SCRIPTS = Path(__file__).parent / "peer_scripts"
REQUIREMENTS = {
    "evidently": ("evidently==0.7.23", "pandas<3", "pyarrow"),
    "deepchecks": (
        "deepchecks==0.19.1",
        "anywidget",
        "scikit-learn<1.4",
        "numpy<2",
        "pandas<2.2",
        "setuptools<81",
        "pyarrow<20",
    ),
    "nannyml": ("nannyml==0.13.1", "statsmodels", "pandas<3", "pyarrow"),
    "whylogs": ("whylogs[viz]==1.6.4", "pandas<3", "numpy<2", "setuptools<81", "pyarrow<20"),
    "frouros": ("frouros==0.9.0", "pandas<3", "pyarrow"),
}
"""With what each of them needs beyond its own requirements in order to start."""


def interpreter(tool: str, cache: Path) -> Path:
    """Return the tool's own Python, after installing it where it is not there yet."""
    folder = cache / "peers" / tool
    python, done = folder / "bin" / "python", folder / ".installed"
    if not done.exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *REQUIREMENTS[tool]], check=True
        )
        done.touch()
    return python


def spent_by(tool: str, tables: tuple[Path, Path], cache: Path) -> Spent:
    page = cache / f"{tool}.html"
    page.unlink(missing_ok=True)
    if tool == "loanwatch":
        return measure([sys.executable, "-m", "loanwatch", "compare", *map(str, tables), "--html", str(page)])
    script = SCRIPTS / f"{tool}.py"
    # Isolated: a script's own folder must not shadow the package it is named after.
    return measure([str(interpreter(tool, cache)), "-I", str(script), *map(str, tables), str(page)])


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="*", default=[22_000])
    parser.add_argument("--tools", nargs="*", choices=list(REQUIREMENTS), default=list(REQUIREMENTS))
    parser.add_argument("--rounds", type=int, default=1, help="runs of each tool; their medians are printed")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "loanwatch-benchmarks")
    options = parser.parse_args(arguments)
    options.cache.mkdir(parents=True, exist_ok=True)
    print(f"{'tool':12} {'rows':>12} {'seconds':>9} {'CPU s':>8} {'peak MB':>8} {'× loanwatch':>12} {'HTML KB':>8}")
    for rows in options.rows:
        tables = loan_tables(rows, options.cache)
        tools = ["loanwatch", *options.tools]
        spent: dict[str, list[Spent]] = {tool: [] for tool in tools}
        for _ in range(options.rounds):
            for tool in list(tools):
                try:
                    spent[tool].append(_sound(spent_by(tool, tables, options.cache)))
                except (subprocess.CalledProcessError, RuntimeError) as error:
                    print(f"{tool:12} {rows:12,} failed: {error}", flush=True)
                    tools.remove(tool)
                    continue
                if len(spent[tool]) == options.rounds:
                    _print(tool, rows, spent[tool], spent["loanwatch"], options.cache / f"{tool}.html")


def _sound(spent: Spent) -> Spent:
    if spent.exit_code != 0:
        last = (spent.said.strip().splitlines() or ["no output"])[-1]
        raise RuntimeError(last[:120])
    return spent


def _print(tool: str, rows: int, spent: Sequence[Spent], own: Sequence[Spent], page: Path) -> None:
    size = f"{page.stat().st_size / 1024:8.0f}" if page.exists() else f"{'–':>8}"
    print(
        f"{tool:12} {rows:12,} {median(s.seconds for s in spent):9.2f} {median(s.cpu_seconds for s in spent):8.2f} "
        f"{median(s.peak_mb for s in spent):8.0f} {_ratio(spent, own):12.1f} {size}",
        flush=True,
    )


def _ratio(spent: Sequence[Spent], own: Sequence[Spent]) -> float:
    """Return the median of the rounds' ratios."""
    pairs = list(zip(spent, own, strict=False))  # none where loanwatch itself failed
    return median(s.seconds / o.seconds for s, o in pairs) if pairs else float("nan")


if __name__ == "__main__":
    main(sys.argv[1:])
