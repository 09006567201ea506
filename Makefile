# Each target installs what it needs by itself: Python packages into virtual environments here,
# Java ones by Maven. With another interpreter: make test PYTHON=python3.14 VENV=build/venv-3.14

PYTHON ?= python3
VENV ?= .venv
DEMO_VENV ?= build/venv-demo
BENCH_VENV ?= build/venv-bench
DOCS_VENV ?= build/venv-docs
MVN ?= mvn
DEMO_SECONDS ?= 5
BENCH_FLAGS ?=
PYTEST_FLAGS ?=
MAVEN_FLAGS ?=
CONFORMANCE_FLAGS ?=

JAR := src/rloop/rloop.jar
JAR_SOURCES := $(shell find src/main -name '*.java') tools/build_jar.py tools/find_jdk.py
WHEEL_SOURCES := $(JAR_SOURCES) $(wildcard src/rloop/*.py src/rloop/*/*.py src/rloop/*.pyi src/rloop/py.typed) \
	hatch_build.py pyproject.toml
LINTED := src tests tools bench hatch_build.py

NO_MAVEN := Maven is missing. The Java tests and linters need it: install it (package 'maven' \
	of most systems) or set MVN. 'make demo' and 'make wheel' do without

# The JVM's warnings are left out: all are about Maven's own libraries.
MAVEN = $(if $(shell command -v $(MVN)),,$(error $(NO_MAVEN))) \
	jdk="$$($(PYTHON) tools/find_jdk.py)" && JAVA_HOME="$$jdk" \
	MAVEN_OPTS="--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow" \
	$(MVN) --batch-mode --no-transfer-progress $(MAVEN_FLAGS)

.DELETE_ON_ERROR:
.PHONY: help demo bench docs test test-java test-python test-suites conformance matrix lint format jar wheel venv clean

help: ## shows this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: $(DEMO_VENV)/.made ## a real HTTP server on asyncio, then on rloop, side by side
	$(DEMO_VENV)/bin/python bench/demo.py --seconds $(DEMO_SECONDS)

bench: $(BENCH_VENV)/.made ## every benchmark beside other loops; BENCH_FLAGS=--help shows options
	$(BENCH_VENV)/bin/python bench/run.py $(BENCH_FLAGS)

# The tool's word about a successor of its own is no warning about ours.
docs: $(DOCS_VENV)/.made ## the documentation as pages, in build/site; warnings are errors
	NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/python -m mkdocs build --quiet

test: test-java test-python test-suites ## every test that ends within minutes

test-java: ## the Java core's tests and format
	$(MAVEN) verify

test-python: venv jar ## unit tests, and hazards in processes of their own
	$(VENV)/bin/python -m pytest $(PYTEST_FLAGS)

test-suites: dist/.made ## the shorter of the suites that 'make conformance' runs
	$(PYTHON) -m tests.conformance cpython uvloop uvicorn

conformance: dist/.made ## CPython's own tests of asyncio, uvloop's and other projects', on rloop
	$(PYTHON) -m tests.conformance $(CONFORMANCE_FLAGS)

matrix: dist/.made ## all tests in Python on every CPython found, or on those in MATRIX_PYTHONS
	$(PYTHON) -m tests.matrix

lint: venv ## every linter
	$(VENV)/bin/ruff check $(LINTED)
	$(VENV)/bin/ruff format --check $(LINTED)
	$(VENV)/bin/mypy
	$(MAVEN) spotless:check

format: venv ## puts all sources into their canonical form
	$(VENV)/bin/ruff check --fix-only --quiet $(LINTED)
	$(VENV)/bin/ruff format $(LINTED)
	$(MAVEN) spotless:apply

jar: $(JAR) ## compiles the Java core into the package

wheel: dist/.made ## the wheel, in dist/

venv: $(VENV)/.made ## a virtual environment: rloop, editable, and what tests and linters need

clean: ## removes everything that was built
	rm -rf build dist target $(VENV) $(DEMO_VENV) $(BENCH_VENV) $(DOCS_VENV) $(JAR)

$(JAR): $(JAR_SOURCES)
	$(PYTHON) tools/build_jar.py $@

dist/.made: $(WHEEL_SOURCES)
	rm -rf dist
	$(PYTHON) -m pip wheel --quiet --no-deps --wheel-dir dist .
	touch $@

$(VENV)/.made: pyproject.toml hatch_build.py
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade pip
	$(VENV)/bin/python -m pip install --quiet --group dev --editable .
	touch $@

# The wheel as users get it. Put in by force, since builds under development share one version.
$(DEMO_VENV)/.made: dist/.made
	$(PYTHON) -m venv $(DEMO_VENV)
	$(DEMO_VENV)/bin/python -m pip install --quiet --upgrade pip
	$(DEMO_VENV)/bin/python -m pip install --quiet --group demo dist/rloop-*.whl
	$(DEMO_VENV)/bin/python -m pip install --quiet --no-deps --force-reinstall dist/rloop-*.whl
	touch $@

$(BENCH_VENV)/.made: pyproject.toml
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --quiet --upgrade pip
	$(BENCH_VENV)/bin/python -m pip install --quiet --group bench
	touch $@

$(DOCS_VENV)/.made: pyproject.toml
	$(PYTHON) -m venv $(DOCS_VENV)
	$(DOCS_VENV)/bin/python -m pip install --quiet --upgrade pip
	$(DOCS_VENV)/bin/python -m pip install --quiet --group docs
	touch $@
