"""Infrastructure and code agree: settings, roles, names, parameters. Two parsers read every Bicep file, no CLI does."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import tree_sitter
import tree_sitter_bicep
import yaml
from pycep import BicepParser

from local import services
from shared.job_arguments import JobArguments
from shared.lake_layout import COMPLETED, FILE_SYSTEM, OUTBOX
from shared.settings import SETTINGS
from tests.architecture.test_shape import ROOT, tracked

BICEP = tracked("bicep/*.bicep")
WORKFLOWS = tracked(".github/workflows/*.yml")
# Azure's own role ids (Microsoft Learn, "Azure built-in roles").
ROLE_IDS = {
    "StorageBlobDataOwner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "StorageBlobDataContributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "StorageQueueDataContributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "StorageQueueDataMessageSender": "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
    "StorageTableDataContributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "EventHubsDataSender": "2b629674-e913-4c01-ae53-ef4638d8f975",
    "MonitoringMetricsPublisher": "3913510d-42f4-4e42-8a64-420c390055eb",
}
# Settings that the Functions platform reads, not the app.
OF_THE_PLATFORM = re.compile(
    r"AzureWebJobsStorage__\w+|LAKE__credential|LAKE__clientId|APPLICATIONINSIGHTS_\w+|PYTHON_APPLICATIONINSIGHTS_\w+"
)
# Set by Azure itself or for one machine only.
NOT_IN_AZURE = {"AUTH_ANONYMOUS", "DATABRICKS_TOKEN", "POST_OFFICE", "TELEMETRY_FILE"} | {
    "WEBSITE_HOSTNAME",
    "WEBSITE_INSTANCE_ID",
}


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def triggers() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in tracked("functions/triggers/*.py"))


@pytest.mark.parametrize("path", BICEP, ids=lambda path: path.name)
def test_every_bicep_file_parses_in_both_parsers(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    tree = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language())).parse(source.encode())
    assert not tree.root_node.has_error
    assert BicepParser().parse(text=source)


@pytest.mark.parametrize("path", BICEP, ids=lambda path: path.name)
def test_every_parameter_is_described_used_and_no_key_is_read(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("param "):
            assert "@description" in lines[number - 1], f"{line} has no description"
            name = line.split()[1]
            assert len(re.findall(rf"\b{name}\b", source)) > 1, f"{name} is not used"
    assert not re.search(r"listKeys\((?!'\$\{functionApp\.id\}/host/default')|listAccountSas|primaryKey", source)


def test_modules_get_exactly_the_parameters_that_they_need() -> None:
    main = text("bicep/main.bicep")
    for name, body in re.findall(r"'modules/([\w-]+\.bicep)'.*?\n  params: \{\n(.*?)\n  \}\n\}", main, re.DOTALL):
        given = set(re.findall(r"^    (\w+):", body, re.MULTILINE))
        declared = re.findall(r"^param (\w+) \w+( =)?", text(f"bicep/modules/{name}"), re.MULTILINE)
        assert {parameter for parameter, default in declared if not default} <= given, name
        assert given <= {parameter for parameter, _ in declared}, name


def test_outputs_that_main_uses_exist_in_the_modules() -> None:
    main = text("bicep/main.bicep")
    module_files = dict(re.findall(r"^module (\w+) 'modules/([\w-]+\.bicep)'", main, re.MULTILINE))
    for module, output in re.findall(r"(\w+)!?\.outputs\.(\w+)", main):
        assert f"output {output} " in text(f"bicep/modules/{module_files[module]}"), f"{module}.{output}"


def test_the_apps_settings_are_those_of_the_code() -> None:
    block = text("bicep/modules/function-app.bicep").split("name: 'appsettings'")[1].split("\n  }\n")[0]
    given = {name for name in re.findall(r"^    (\w+):", block, re.MULTILINE) if not OF_THE_PLATFORM.fullmatch(name)}
    known = {setting.name for setting in SETTINGS}
    assert given <= known
    assert {setting.name for setting in SETTINGS if setting.required} <= given
    assert known - given <= NOT_IN_AZURE | {
        setting.name for setting in SETTINGS if setting.default or setting.name in ("SETTLEMENT_JOB_ID",)
    }


def test_roles_are_azures_own() -> None:
    roles = text("bicep/modules/roles.bicep")
    assert dict(re.findall(r"^  (\w+): '([0-9a-f-]{36})'", roles, re.MULTILINE)) == ROLE_IDS
    assert set(re.findall(r"role: '(\w+)'", roles)) == set(ROLE_IDS)
    assert not any("roleAssignments" in text(str(path)) for path in BICEP if path.name != "roles.bicep")


def test_hub_file_system_and_queues_are_those_of_the_code() -> None:
    main, subscriptions = text("bicep/main.bicep"), text("bicep/event-subscriptions.bicep")
    default = {setting.name: setting.default for setting in SETTINGS}
    assert f"var postOfficeHub = '{default['POST_OFFICE_HUB']}'" in main
    assert f"var fileSystem = '{FILE_SYSTEM}'" in main
    assert f"containers/{FILE_SYSTEM}/blobs" in subscriptions
    assert f"settlementJobName string = '{default['SETTLEMENT_JOB_NAME']}'" in main
    queues = set(re.findall(r"var \w+Queue = '([\w-]+)'", main))
    assert queues == set(re.findall(r"queueName: '([\w-]+)'", subscriptions))
    assert queues == set(re.findall(r"queue_name=\"([\w-]+)\"", triggers()))
    assert queues == {queue for _, queue in services.TRIGGERS.values()}


def test_event_subscriptions_name_functions_and_folders_that_exist() -> None:
    subscriptions = text("bicep/event-subscriptions.bicep")
    routes = re.findall(r"functionName: '(\w+)'.*?prefix: '\$\{container\}/(\w+)/'", subscriptions)
    assert dict(routes) == {"ResultReceived": COMPLETED, "Dispatch": OUTBOX}
    for function, folder in routes:
        assert f'"{function}"' in triggers() or f"def {function}(" in triggers()
        assert f"{FILE_SYSTEM}/{folder}/" in triggers()
    assert "['FlushWithClose', 'PutBlob', 'PutBlockList']" in subscriptions


def test_alerts_watch_metrics_that_the_app_measures() -> None:
    watched = set(re.findall(r'Name == "([\w.]+)"', text("bicep/modules/alerts.bicep")))
    measured = "\n".join(path.read_text(encoding="utf-8") for path in tracked("functions/*.py"))
    assert {metric for metric in watched if f'"{metric}"' not in measured} == set()


def test_every_alert_is_explained_to_the_operator() -> None:
    operations = text("docs/operations.md")
    for alert in re.findall(r"^    name: '([\w-]+)'", text("bicep/modules/alerts.bicep"), re.MULTILINE):
        assert f"`{alert}`" in operations


@pytest.mark.parametrize("path", tracked("bicep/*.json"), ids=lambda path: path.name)
def test_parameter_files_name_parameters_of_main(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    declared = set(re.findall(r"^param (\w+) ", text("bicep/main.bicep"), re.MULTILINE))
    assert set(document.get("parameters", {})) <= declared


def test_the_settlement_job_takes_every_parameter_of_a_job() -> None:
    job: Any = yaml.safe_load(text("sparkjobs/resources/settlement.job.yml"))["resources"]["jobs"]["settlement"]
    parameters = {parameter["name"] for parameter in job["parameters"]}
    task = job["tasks"][0]["python_wheel_task"]
    arguments = JobArguments.__dataclass_fields__.keys()
    assert {field.replace("_", "-") for field in arguments} | {"lake"} <= parameters
    assert task["named_parameters"] == {name: "{{job.parameters." + name + "}}" for name in parameters}
    assert f'{task["entry_point"]} = "sparkjobs.jobs.settlement:main"' in text("pyproject.toml")
    assert f'name = "{task["package_name"]}"' in text("pyproject.toml")
    assert job["queue"]["enabled"] is True


def test_every_target_of_the_bundle_says_where_the_job_runs() -> None:
    bundle: Any = yaml.safe_load(text("sparkjobs/databricks.yml"))
    assert set(bundle["targets"]) == {"dev", "test", "prod"}
    for target in bundle["targets"].values():
        task = target["resources"]["jobs"]["settlement"]["tasks"][0]
        assert task["task_key"] == "settlement"
        assert "environment_key" in task or "job_cluster_key" in task


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_do_nothing_that_make_does_not(path: Path) -> None:
    workflow: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    targets = set(re.findall(r"^([\w-]+):", text("Makefile"), re.MULTILINE))
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            command = step.get("run", "make help").strip()
            assert command.startswith(("make ", "azd auth login ")), command
            assert command.startswith("azd ") or command.split()[1] in targets | {"help"}


def test_the_hooks_of_azd_exist_and_run_on_names_that_main_gives() -> None:
    azure: Any = yaml.safe_load(text("azure.yaml"))
    outputs = set(re.findall(r"^output (\w+) ", text("bicep/main.bicep"), re.MULTILINE))
    for hook in azure["hooks"].values():
        assert (ROOT / hook["run"]).stat().st_mode & 0o111
    used = set(re.findall(r'"\$\{?([A-Z_]+)\}?"', text("bicep/hooks/postdeploy.sh")))
    assert used <= outputs
