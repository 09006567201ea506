# Everything installs what it needs by itself: Python packages into $(VENV), Java ones through Maven.
# Another interpreter: make test PYTHON=python3.14 VENV=build/venv-3.14

PYTHON ?= python3
VENV ?= .venv
MVN ?= mvn

JAR := src/rloop/rloop.jar
JAVA_SOURCES := $(shell find src/main -name '*.java')
VENV_PYTHON := $(VENV)/bin/python
# Its own warnings about its own libraries are of no use to us.
MAVEN = JAVA_HOME="$$($(PYTHON) tools/find_jdk.py)" \
	MAVEN_OPTS="--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow" \
	$(MVN) --batch-mode --no-transfer-progress

.DELETE_ON_ERROR:
.PHONY: help jar venv

help: ## shows this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

jar: $(JAR) ## compiles the Java core

$(JAR): $(JAVA_SOURCES) tools/build_jar.py tools/find_jdk.py
	$(PYTHON) tools/build_jar.py $@

venv: $(VENV)/.made ## a virtual environment with rloop (editable) and what tests and linters need

$(VENV)/.made: pyproject.toml hatch_build.py
	$(PYTHON) -m venv $(VENV)
	$(VENV_PYTHON) -m pip install --quiet --upgrade pip
	$(VENV_PYTHON) -m pip install --quiet --group dev --editable .
	touch $@
