"""`zerowait knowledge`: what the shop answers, drafted, compared, published, rolled back."""

from __future__ import annotations

import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from serve_app.adapters.csv_knowledge import csv_of
from serve_app.adapters.knowledge_file import read_path
from serve_app.adapters.yaml_knowledge import yaml_of
from serve_app.cli.console import By, row, say, who
from serve_app.cli.key import ConfigFile, chosen_tenant, read_config
from serve_app.cli.knowledge_aside import app as aside
from serve_app.cli.knowledge_pregenerate import pregenerate
from serve_app.cli.knowledge_pregenerated import app as pregenerated
from serve_app.cli.knowledge_publish import doubt, publish, rollback
from serve_app.cli.knowledge_record import Tenant, edit, local
from serve_app.cli.knowledge_review import feedback, proposals
from serve_app.cli.knowledge_slots import slots
from serve_app.config import Config
from serve_app.demo.knowledge import demo_knowledge
from serve_app.domain.draft_effects import Diff
from serve_app.domain.drafting import Reading
from serve_app.domain.errors import ConfigError
from serve_app.domain.knowledge_diff import counted, told
from serve_app.domain.publication import Publication
from serve_app.knowledge_editing import KnowledgeEditor

app = typer.Typer(
    no_args_is_help=True,
    help="What the shop answers. `import` takes files into the tenant's draft, `diff` compares it with what is published, "
    "`publish` makes it live as a new version, `rollback` brings an earlier version back, `withdraw` takes one entry out.",
)

IMPORT_HELP = """Take a file, or a folder of files, into the draft: all of it or, if a row is bad, nothing.

\b
Entries are added and changed by their ids; what the file does not name stays. YAML, CSV and Markdown:

\b
  id,language,questions,answer,intent,valid_from,valid_to,suggested
  engraving,zh,可以刻字吗|能刻名字吗,可以，下单时备注即可。,,,,
  engraving,en,Can you engrave it?|engraving,"Yes, say so in the order's note.",,,,

\b
  ## engraving
  - valid_from: 2026-12-10 00:00
  ### zh
  - 可以刻字吗
  - 能刻名字吗
  <blank line>
  可以，下单时备注即可。
  ### en
  - Can you engrave it?
  <blank line>
  Yes, say so in the order's note.

\b
A CSV file is UTF-8, with a row for each entry and language; questions are separated by `|` or by line breaks, and the first is
the one to show. The first four columns are needed. A column or field that is not there leaves what is published. Times without
an offset are the shop's. An entry without an intent answers to its questions alone. Figures stand as {policy.NAME}; policies
and templates come in YAML (policies.yaml, templates.yaml) and stay as they are when a file does not speak of them.
"""


class Keep(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"


class Form(StrEnum):
    CSV = "csv"
    YAML = "yaml"


@app.command("import", help=IMPORT_HELP)
def import_(
    path: Annotated[
        Path, typer.Argument(metavar="FILE|FOLDER", help=".csv, .md, .yaml; in a folder, README.md is passed over.")
    ],
    replacing: Annotated[
        bool, typer.Option("--replace", help="What is imported is all there is: the other entries go.")
    ] = False,
    packaged: Annotated[bool, typer.Option("--packaged-templates", help="And the templates that come with ZeroWait.")] = False,
    tenant: Tenant = None,
    by: By = None,
    config: ConfigFile = None,
) -> None:
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)
    reading = read_path(path, settings.tenants[owner].shop.time_zone, say)
    if packaged:
        reading = replace(reading, templates=(*(reading.templates or ()), *demo_knowledge().templates))
    if not (reading.entries or reading.templates or reading.policies):
        raise ConfigError(f"{path}: there is nothing to import in it; `zerowait knowledge import --help` shows how to write it")
    found = _held(reading)
    say(f"checking {found} against the draft")
    diff = edit(settings, lambda editor: editor.take(owner, reading, replacing=replacing, by=who(by)))
    say(f"imported {found}")
    _drafted(diff)


NOTHING_CHANGED = "that changes nothing: there is no draft"


@app.command()
def withdraw(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Of entries or templates; policy.NAME for a policy.")],
    tenant: Tenant = None,
    by: By = None,
    config: ConfigFile = None,
) -> None:
    """Take something out with the next publication. `rollback` or another `import` brings it back."""
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)
    _drafted(edit(settings, lambda editor: editor.withdraw(owner, ids, by=who(by))))


@app.command()
def diff(tenant: Tenant = None, config: ConfigFile = None) -> None:
    """Show what the draft would change in what is published: `+` new, `-` gone, `~` changed, field by field."""
    settings = read_config(config)
    found = edit(settings, lambda editor: editor.diff(chosen_tenant(settings, tenant)))
    if found.changes:
        typer.echo("\n".join(told(found.changes)))
    if found.draft is None:
        say("there is no draft: `zerowait knowledge import` makes one")
    else:
        say(f"{counted(found.changes)}; draft on version {found.draft.base}, last changed by {found.draft.changed_by}")
    _warn(found)


@app.command()
def rebase(
    keep: Annotated[Keep | None, typer.Option(help="Whose change stays where both changed the same entry.")] = None,
    tenant: Tenant = None,
    by: By = None,
    config: ConfigFile = None,
) -> None:
    """Put the draft over what is published now, when something was published since the draft was begun."""
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)
    chosen = None if keep is None else keep.value
    found = edit(settings, lambda editor: editor.rebase(owner, keep=chosen, by=who(by)))
    say(f"the draft is now on version {found.published}: {counted(found.changes)}")


@app.command()
def discard(tenant: Tenant = None, config: ConfigFile = None) -> None:
    """Throw the draft away; what is published stays."""
    settings = read_config(config)
    there_was = edit(settings, lambda editor: editor.discard(chosen_tenant(settings, tenant)))
    say("the draft is thrown away" if there_was else "there was no draft")


@app.command()
def history(
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 20,
    tenant: Tenant = None,
    config: ConfigFile = None,
) -> None:
    """List the published versions: number, time, entries, changes (+ added, ~ changed, - withdrawn), who, note."""
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)
    for one in edit(settings, lambda editor: editor.history(owner, limit)):
        changed = f"+{one.added} ~{one.changed} -{one.withdrawn}"
        at = local(one.published_at, settings, owner)
        row(str(one.version), at, _entries(one.entries), changed, one.by, one.note)


@app.command("list")
def list_(
    draft: Annotated[bool, typer.Option("--draft", help="With the draft's changes.")] = False,
    version: Annotated[int | None, typer.Option(help="As it was then. [default: now]")] = None,
    tenant: Tenant = None,
    config: ConfigFile = None,
) -> None:
    """List the entries: id, intent, the questions to show, validity."""
    settings = read_config(config)
    owner = chosen_tenant(settings, tenant)
    for entry in _content(settings, owner, draft, version).entries:
        span = f"{entry.valid_from or ''}…{entry.valid_to or ''}" if entry.valid_from or entry.valid_to else ""
        shown = (entry.questions["zh"][0], entry.questions["en"][0])
        row(entry.id, str(entry.intent), *shown, span)


@app.command()
def export(
    target: Annotated[Path | None, typer.Argument(help="A .csv file, or a folder for YAML files. [default: stdout]")] = None,
    form: Annotated[Form, typer.Option("--format", help="On stdout; entries only.")] = Form.CSV,
    draft: Annotated[bool, typer.Option("--draft", help="With the draft's changes.")] = False,
    version: Annotated[int | None, typer.Option(help="As it was then. [default: now]")] = None,
    tenant: Tenant = None,
    config: ConfigFile = None,
) -> None:
    """Write the knowledge so that `import` reads it back. Only a folder holds the policies and templates, too."""
    settings = read_config(config)
    content = _content(settings, chosen_tenant(settings, tenant), draft, version)
    if target is None:
        text = csv_of(content.entries) if form is Form.CSV else yaml_of(content)["entries.yaml"]
        sys.stdout.write(text)
        return
    try:
        if target.suffix.lower() == ".csv":
            # With the mark by which spreadsheets know UTF-8.
            target.write_text(csv_of(content.entries), encoding="utf-8-sig", newline="")
        elif target.suffix:
            raise ConfigError(f"{target}: name a .csv file, or a folder for YAML files")
        else:
            target.mkdir(parents=True, exist_ok=True)
            for name, text in yaml_of(content).items():
                (target / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{target} cannot be written: {error.strerror}") from error
    say(f"wrote {_entries(len(content.entries))} to {target}")


app.command()(publish)
app.command()(rollback)
app.command()(pregenerate)
app.add_typer(pregenerated, name="pregenerated")
app.command()(proposals)
app.command()(feedback)
app.command()(slots)
app.add_typer(aside, name="aside")


def _content(settings: Config, owner: str, draft: bool, version: int | None) -> Publication:
    if draft and version is not None:
        raise ConfigError("--draft or --version, not both")

    async def read(editor: KnowledgeEditor) -> Publication:
        return (await editor.drafted(owner))[1] if draft else await editor.content(owner, version)

    content = edit(settings, read)
    if not content.entries:
        say("there are no entries")
    return content


def _entries(count: int) -> str:
    return f"{count:,} {'entry' if count == 1 else 'entries'}"


def _held(reading: Reading) -> str:
    """What files hold, counted: `2 entries, 1 template`."""
    others = (("template", "templates", reading.templates), ("policy", "policies", reading.policies))
    counts = [_entries(len(reading.entries))] if reading.entries else []
    counts += [f"{len(items):,} {one if len(items) == 1 else several}" for one, several, items in others if items]
    return ", ".join(counts)


def _drafted(found: Diff) -> None:
    say(f"the draft: {counted(found.changes)}")
    say("`zerowait knowledge diff` shows it, `zerowait knowledge publish` makes it live" if found.changes else NOTHING_CHANGED)
    _warn(found)


def _warn(found: Diff) -> None:
    doubt(found.doubts)
    if not found.is_stale:
        return
    say(
        f"version {found.published} was published since the draft was begun: `zerowait knowledge rebase` before it is published"
    )
    if found.conflicts:
        say(f"both changed {', '.join(found.conflicts)}: rebase with --keep draft or --keep published")
