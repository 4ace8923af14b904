"""The page's modules become one file."""

from __future__ import annotations

import re
from collections import Counter
from importlib.resources import files

import pytest

from serve_app.api.pages import MAIN, WebFiles, joined

TOP = re.compile(r"^(?:export )?(?:async )?(?:const|let|class|function\*?) (\w+)", re.MULTILINE)
WEB = files("serve_app") / "web"
MODULES = {entry.name: entry.read_text(encoding="utf-8") for entry in WEB.iterdir() if entry.name.endswith(".js")}


def test_what_is_imported_comes_before_and_once() -> None:
    modules = {
        "a.js": 'import { b } from "./b.js";\nimport {\n  c,\n} from "./c.js";\nb(c);\n',
        "b.js": 'import { c } from "./c.js";\nexport const b = () => c;\n',
        "c.js": "export class c {}\n",
        "d.js": "unused();\n",
    }
    assert joined(modules, "a.js") == "class c {}\n\nconst b = () => c;\n\nb(c);\n"


def test_no_two_modules_use_a_name_at_their_top() -> None:
    names = Counter(name for text in MODULES.values() for name in set(TOP.findall(text)))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("name", MODULES)
def test_modules_say_by_name_what_they_import(name: str) -> None:
    for line in re.findall(r"^(?:import|export) .*", MODULES[name], re.MULTILINE):
        assert re.match(r'import \{.*\} from "\./\w+\.js";|export (async )?(const|class|function)', line), line


def test_nothing_of_the_joining_is_left() -> None:
    script = WebFiles().get(MAIN).body.decode()
    assert not re.search(r"^(import|export) ", script, re.MULTILINE)
