"""What is left out, adapted, or known to fail: a suite's TOML file."""

import importlib.util
import sys
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from types import ModuleType


@dataclass(frozen=True)
class Rule:
    """An entry of the file, for tests whose `Class.test` matches one of the patterns."""

    module: str
    reason: str
    tests: list[str] = field(default_factory=lambda: ["*"])
    replace: list[tuple[str, str]] = field(default_factory=list)
    since: str = "3.0"
    until: str = "3.99"
    loops: list[str] = field(default_factory=lambda: ["*"])

    def applies(self, loop: str) -> bool:
        is_of_this = any(fnmatchcase(loop, pattern) for pattern in self.loops)
        return is_of_this and _version(self.since) <= sys.version_info[:2] <= _version(self.until)

    def matches(self, module: str, test: str) -> bool:
        return fnmatchcase(module, self.module) and any(fnmatchcase(test, p) for p in self.tests)


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


@dataclass(frozen=True)
class Rules:
    """The entries that are for the running Python, and a loop."""

    left_out: list[Rule] = field(default_factory=list)
    adapted: list[Rule] = field(default_factory=list)
    as_asyncio: list[Rule] = field(default_factory=list)
    fails: list[Rule] = field(default_factory=list)

    @classmethod
    def of(cls, suite: str, loop: str) -> "Rules":
        tables = tomllib.loads(Path(__file__).with_name(f"{suite}.toml").read_text())
        rules = {name: [Rule(**entry) for entry in table] for name, table in tables.items()}
        return cls(**{name: [r for r in table if r.applies(loop)] for name, table in rules.items()})

    def is_left_out(self, module: str, test: str = "*") -> bool:
        """Whether the test is; without one, whether the module is as a whole."""
        return _reason(self.left_out, module, test) is not None

    def runs_as_asyncio(self, module: str, test: str) -> bool:
        return _reason(self.as_asyncio, module, test) is not None

    def known_failure(self, test: str) -> str | None:
        """The reason why `module.Class.test` fails, if that is known."""
        module, _, name = test.partition(".")
        return _reason(self.fails, module, name)

    def load(self, package: str, module: str) -> ModuleType:
        """Imports a module with the lines replaced that are to be; their numbers stay."""
        name = f"{package}.{module}"
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        source = Path(spec.origin).read_text()
        for rule in self.adapted:
            for old, new in rule.replace if rule.module == module else ():
                source = source.replace(old, new)
        loaded = importlib.util.module_from_spec(spec)
        sys.modules[name] = loaded
        exec(compile(source, spec.origin, "exec"), vars(loaded))
        setattr(sys.modules[package], module, loaded)
        return loaded


def _reason(rules: list[Rule], module: str, test: str) -> str | None:
    return next((rule.reason for rule in rules if rule.matches(module, test)), None)
