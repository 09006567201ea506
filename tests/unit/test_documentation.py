"""What the documentation shows works, with the packages that it speaks of."""

import ast
import inspect
import json
import os
import re
import sys
from pathlib import Path

import pytest
from find_jdk import find_jdk

from tests.unit import recipes
from tests.unit.recipes import PAGES, ROOT, Block, blocks

BLOCKS = [block for page in sorted(PAGES.glob("*.md")) for block in blocks(page)]

# Of a section, what it needs beside rloop and the packages that all tests need.
NEEDS = {
    "uvicorn": ["uvicorn"],
    "gunicorn": ["gunicorn", "uvicorn_worker"],
    "hypercorn": ["hypercorn"],
    "granian": ["granian"],
    "aiohttp": ["aiohttp"],
    "FastAPI": ["fastapi", "uvicorn"],
    "anyio": ["anyio"],
    "pytest-asyncio": ["pytest_asyncio"],
    "anyio's plugin": ["anyio"],
    "Time that passes in no time": ["pytest_asyncio"],
    "Servers": ["uvicorn"],
    "One for each worker": ["httpx", "websockets"],
    "OpenTelemetry": ["opentelemetry.sdk"],
    "Prometheus": ["prometheus_client", "fastapi", "uvicorn"],
}

pytestmark = pytest.mark.usefixtures("_rloop_is_chosen")


@pytest.fixture
def _rloop_is_chosen(request: pytest.FixtureRequest) -> None:
    if "rloop" not in str(request.config.getoption("--loops")):
        pytest.skip("--loops leaves out rloop")


def require(*packages: str) -> None:
    for package in packages:
        pytest.importorskip(package)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(block, id=f"{block.page}: {block.section}: {block.text.splitlines()[0][2:]}")
        for block in BLOCKS
        if block.language == "console"
    ],
)
def test_a_recipe_does_what_it_says(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(*NEEDS.get(block.section, []))
    if "\n$ jfr " in block.text:
        path = os.pathsep.join([str(find_jdk() / "bin"), recipes.ENVIRONMENT["PATH"]])
        monkeypatch.setitem(recipes.ENVIRONMENT, "PATH", path)
    recipes.write_files(block.page, tmp_path, block.section)
    recipes.run(block.text, tmp_path)


def test_every_recipe_of_the_servers_and_frameworks_is_tried() -> None:
    tried = {block.section for block in BLOCKS if block.language == "console"}
    assert tried >= set(NEEDS)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(block, id=f"{block.page}: {block.section}")
        for block in BLOCKS
        if block.language == "python"
    ],
)
def test_python_is_python(block: Block) -> None:
    ast.parse(block.text)


def test_the_names_that_are_used_of_rloop_are_there() -> None:
    import rloop  # noqa: PLC0415

    for block in BLOCKS:
        if block.language == "python":
            for node in ast.walk(ast.parse(block.text)):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    assert node.value.id != "rloop" or hasattr(rloop, node.attr), node.attr


CELL = """
import nbformat, nbclient
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell({source!r})])
nbclient.NotebookClient(notebook, kernel_name="rloop", timeout=30).execute()
print(notebook.cells[0].outputs[0]["data"]["text/plain"])
"""


def test_a_notebook_runs_on_rloop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require("ipykernel", "nbclient")
    recipes.write_files("frameworks", tmp_path, "Jupyter")
    kernel = tmp_path / "kernels" / "rloop" / "kernel.json"
    specification = json.loads(kernel.read_text())
    assert specification["argv"][0] == "python"
    specification["argv"][0] = sys.executable
    kernel.write_text(json.dumps(specification))
    [cell] = (block for block in BLOCKS if block.title == "cell")
    (tmp_path / "notebook.py").write_text(CELL.format(source=cell.text))
    monkeypatch.setitem(recipes.ENVIRONMENT, "JUPYTER_PATH", str(tmp_path))
    recipes.run("$ python notebook.py\n'RLoop'\n", tmp_path)


def test_every_variable_is_documented() -> None:
    documented = (PAGES / "troubleshooting.md").read_text()
    settings = (ROOT / "src" / "rloop" / "java" / "settings.py").read_text()
    for node in ast.walk(ast.parse(settings)):
        if isinstance(node, ast.Constant) and str(node.value).startswith("RLOOP_"):
            name = str(node.value).split()[0].rstrip(":")
            assert f"`{name}" in documented, name


def test_every_variable_that_is_documented_is_read() -> None:
    read = {
        name
        for path in (ROOT / "src" / "rloop").glob("**/*.py")
        for name in re.findall(r"RLOOP_[A-Z_]+", path.read_text())
    }
    for page in (ROOT / "README.md", *PAGES.glob("*.md")):
        assert set(re.findall(r"RLOOP_[A-Z_]+", page.read_text())) <= read, page


def test_every_public_name_is_in_the_reference_and_says_what_it_is() -> None:
    import rloop  # noqa: PLC0415

    reference = (PAGES / "reference.md").read_text()
    for name in rloop.__all__:
        assert f"        - {name}\n" in reference, name
        public = getattr(rloop, name)
        assert inspect.getdoc(public), name
        for owner in public.__mro__ if isinstance(public, type) else ():
            for member, value in vars(owner).items():
                if owner.__module__.startswith("rloop") and not member.startswith("_"):
                    assert inspect.getdoc(value), f"{name}.{member}"


def test_the_changelog_has_the_version() -> None:
    import rloop  # noqa: PLC0415

    assert f"\n## {rloop.__version__}" in (ROOT / "CHANGELOG.md").read_text()
