"""What is written for maintainers is true: paths and targets exist, forms warn of secrets, workflows call what everybody calls."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("[!c]*.yml"))
PAGES = ("AGENTS.md", "CONTRIBUTING.md", ".github/pull_request_template.md")


@pytest.mark.parametrize("page", PAGES)
def test_targets_and_paths_that_are_named_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(re.findall(r"make ([a-z][a-z-]+)", text)) - {"wheels"}
    assert named, "no target is named"
    assert named <= TARGETS
    paths = re.findall(
        r"(?:`|pytest |\]\()((?:packages|tests|docs|tools|bench|fuzz|requirements)\b[\w./*-]*|[A-Z]+\.md|VERSION)", text
    )
    missing = [path for path in paths if not list(ROOT.glob(path))]
    assert not missing


def test_what_agents_are_told_of_packages_is_what_the_arrows_check():
    text = (ROOT / "AGENTS.md").read_text(encoding="utf-8")
    told = {
        name: set(re.findall(r"`(\w+)`", rest))
        for name, rest in re.findall(r"^- `packages/(\w+)`:.* Imports? (.*)", text, re.MULTILINE)
    }
    assert told == {
        "osgp": set(),
        "servicekit": set(),
        "nes2mqtt": {"osgp", "servicekit"},
        "piprint": {"servicekit"},
        "module": {"osgp", "nes2mqtt"},
    }
    for name, others in told.items():
        project = (ROOT / "packages" / name / "pyproject.toml").read_text()
        assert {
            other
            for other in told
            if re.search(rf'"{other}[\["]', project.partition("dependencies =")[2].partition("[project")[0])
        } == others


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_each_form_says_what_never_to_post_before_it_asks(form):
    parts = yaml.safe_load(form.read_text(encoding="utf-8"))["body"]
    assert parts[0]["type"] == "markdown"
    assert parts[0]["attributes"]["value"].startswith("**Never post ")
    assert parts[1]["type"] == "checkboxes"
    assert all(option["required"] for option in parts[1]["attributes"]["options"])
    ids = [part["id"] for part in parts[1:]]
    assert len(set(ids)) == len(ids)


def test_there_is_a_form_for_the_meter_for_printing_and_for_the_rest_and_no_empty_one():
    assert [form.stem for form in FORMS] == ["meter", "other", "printing"]
    assert yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE/config.yml").read_text())["blank_issues_enabled"] is False


def test_workflows_call_what_everybody_calls():
    steps = {}
    for path in (ROOT / ".github/workflows").glob("*.yml"):
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert workflow["permissions"] == {"contents": "read"}
        assert all("timeout-minutes" in job for job in workflow["jobs"].values())
        steps[path.stem] = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
        # What somebody may name freely is never pasted into a shell's line.
        assert not any("${{" in line for line in steps[path.stem])
    assert "bash .ci/run" in steps["ci"]
    assert 'make release VERSION="${TAG#v}"' in steps["release"]


def test_hooks_before_a_commit_run_the_locked_tools_and_fetch_nothing():
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [each["repo"] for each in repositories] == ["local"]
    hooks = repositories[0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}
    for entry in (hook["entry"].split() for hook in hooks):
        assert entry[0].startswith(".venv/bin/") or (entry[0] == "make" and entry[1] in TARGETS)


@pytest.mark.parametrize("tool", ["mutation", "coverage_table"])
def test_what_the_measuring_tools_name_is_there(tool):
    text = (ROOT / "tools" / f"{tool}.py").read_text(encoding="utf-8").replace("{_JOBS}", "packages/piprint/tests/jobs")
    named = re.findall(r'"(packages/[^"{}]+)"', text)
    assert len(named) > 3
    assert not [path for path in named if not list(ROOT.glob(path))]
