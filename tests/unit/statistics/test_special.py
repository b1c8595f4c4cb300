"""SciPy's special functions without the package around them: the same functions, and the package stays whole."""

import subprocess
import sys

from loanwatch.statistics import special

CHECK = """
import sys
from loanwatch.statistics import special
assert {before}, "the package was imported"
import scipy.special
whole = dict(chndtrinc=(3.0, 2.0, 0.5), bdtr=(1, 3, 0.5), ndtri_exp=(-0.5,))
for name in special.__all__:
    function, public = getattr(special, name), getattr(scipy.special, name)
    arguments = whole.get(name, (0.25, 0.5, 0.75)[: function.nin])
    assert function(*arguments) == public(*arguments), name
assert scipy.special.logsumexp([0.0]) == 0.0, "the package is not whole"
from scipy.stats import norm
assert round(float(norm.cdf(1.0)), 6) == 0.841345
"""


def run(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_package_is_not_imported_and_is_whole_when_somebody_imports_it():
    run(CHECK.replace("{before}", "'scipy.special' not in sys.modules and 'numpy.f2py' not in sys.modules"))


def test_the_package_is_taken_where_it_is_there_already():
    run("import scipy.special\n" + CHECK.replace("{before}", "special.ndtr is scipy.special.ndtr"))


def test_the_package_is_taken_where_another_thread_may_import_it():
    waits = "from threading import Event, Thread\nend = Event()\nThread(target=end.wait, daemon=True).start()\n"
    run(waits + CHECK.replace("{before}", "'scipy.special' in sys.modules"))


def test_the_package_is_taken_where_the_compiled_functions_are_elsewhere(monkeypatch, tmp_path):
    monkeypatch.delitem(sys.modules, "scipy.special", raising=False)
    monkeypatch.setattr(special, "_COMPILED", "scipy.special._no_such_module")
    assert special._compiled() is None
    assert "scipy.special" not in sys.modules
    monkeypatch.setattr(special, "_COMPILED", "reads_its_package")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "reads_its_package.py").write_text("import scipy.special\nscipy.special.errstate\n")
    assert special._compiled() is None
    monkeypatch.setattr(special, "_COMPILED", "scipy.special._basic")  # a module without these functions
    assert special._compiled() is None
