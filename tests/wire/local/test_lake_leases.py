"""Leases, the Blob endpoint and the events of the lake's server, by the stock clients."""

import gzip
import json
import os
import shutil
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
)
from azure.storage.blob import BlobServiceClient, ContainerClient
from azure.storage.filedatalake import DataLakeLeaseClient, FileSystemClient

from local.lake.errors import StorageError
from local.lake.leases import Leases
from tests.wire.local.conftest import Webhook


def write(lake: FileSystemClient, path: str, content: bytes, close: bool = True) -> None:
    file = lake.get_file_client(path)
    file.create_file(match_condition=MatchConditions.IfMissing)
    file.append_data(content, 0)
    file.flush_data(len(content), close=close)


def ask_faults(lake_url: str, *rules: dict[str, Any], method: str = "POST") -> list[dict[str, Any]]:
    body = json.dumps({"seed": 1, "rules": rules}).encode() if method == "POST" else None
    request = urllib.request.Request(f"{lake_url}/_faults", body, method=method)
    with urllib.request.urlopen(request) as answer:
        fired: list[dict[str, Any]] = json.load(answer)["rules"]
    return fired


def blobs(lake_url: str) -> ContainerClient:
    return BlobServiceClient(lake_url).get_container_client("aggregations")


def test_only_the_holder_of_a_lease_writes_renames_and_deletes(lake: FileSystemClient) -> None:
    write(lake, "outbox/1/a", b"1")
    lake.get_directory_client("sent/1").create_directory()
    file = lake.get_file_client("outbox/1/a")
    lease = file.acquire_lease(15)
    with pytest.raises(ResourceExistsError, match="LeaseAlreadyPresent"):
        file.acquire_lease(15)
    for refused in (
        lambda: file.rename_file("aggregations/sent/1/a"),
        lambda: file.delete_file(),
        lambda: file.create_file(),
        lambda: file.append_data(b"x", 1),
        lambda: file.set_metadata({"a": "b"}),
    ):
        with pytest.raises(HttpResponseError, match="LeaseIdMissing") as error:
            refused()
        assert error.value.status_code == 412
    with pytest.raises(HttpResponseError, match="LeaseIdMismatchWithBlobOperation"):
        file.delete_file(lease="00000000-0000-0000-0000-000000000001")
    lease.renew()
    assert file.get_file_properties().lease.state == "leased"
    moved = file.rename_file("aggregations/sent/1/a", source_lease=lease, match_condition=MatchConditions.IfMissing)
    assert moved.get_file_properties().lease.state == "available"


def test_a_released_lease_is_free_and_a_lost_one_cannot_be_renewed(lake: FileSystemClient) -> None:
    write(lake, "a", b"1")
    file = lake.get_file_client("a")
    first = file.acquire_lease(60)
    first_id = first.id
    first.release()
    second = file.acquire_lease(-1)
    with pytest.raises(HttpResponseError, match="LeaseIdMismatchWithLeaseOperation"):
        DataLakeLeaseClient(file, lease_id=first_id).renew()
    assert second.break_lease() == 0
    file.delete_file()
    with pytest.raises(HttpResponseError):
        second.renew()


def test_leases_end_with_their_time_and_survive_a_restart(tmp_path: Path) -> None:
    now = [1000.0]
    leases = Leases(tmp_path / "leases.json", lambda: now[0])
    first = leases.acquire("a", 15, None)
    again = Leases(tmp_path / "leases.json", lambda: now[0])
    assert again.holds("a") == first
    now[0] += 15
    assert again.holds("a") is None
    with pytest.raises(StorageError, match="LeaseLost"):
        again.check("a", first.id)
    again.renew("a", first.id)
    now[0] += 15
    again.written("a")
    with pytest.raises(StorageError, match="LeaseNotPresentWithLeaseOperation"):
        again.renew("a", first.id)


def test_a_blob_is_put_read_and_deleted_with_conditions(lake_url: str, lake: FileSystemClient) -> None:
    with blobs(lake_url) as container, container.get_blob_client("jobs/1.json") as blob:
        assert container.exists()
        etag = blob.upload_blob(b"1", overwrite=False)["etag"]
        with pytest.raises(ResourceExistsError, match="BlobAlreadyExists"):
            blob.upload_blob(b"2", overwrite=False)
        changed = blob.upload_blob(b"22", overwrite=True, etag=etag, match_condition=MatchConditions.IfNotModified)
        with pytest.raises(ResourceModifiedError):
            blob.upload_blob(b"3", overwrite=True, etag=etag, match_condition=MatchConditions.IfNotModified)
        assert blob.download_blob().readall() == b"22"
        assert blob.get_blob_properties().etag == changed["etag"]
        assert [item.name for item in container.list_blobs("jobs/")] == ["jobs/1.json"]
        with pytest.raises(HttpResponseError) as unchanged:
            blob.download_blob(etag=changed["etag"], match_condition=MatchConditions.IfModified)
        assert unchanged.value.status_code == 304
        blob.delete_blob()
        assert not blob.exists()


def test_a_large_blob_goes_in_blocks(lake_url: str) -> None:
    content = os.urandom(3 << 20)
    with BlobServiceClient(lake_url, max_single_put_size=1 << 20, max_block_size=1 << 20) as service:
        blob = service.get_blob_client("aggregations", "large")
        blob.upload_blob(content, max_concurrency=2)
        assert blob.download_blob().readall() == content


def test_a_file_closed_by_the_server_raises_one_event_that_names_it(lake: FileSystemClient, webhook: Webhook) -> None:
    webhook.refusals = 1
    write(lake, "completed/1.1.json", b"{}")
    event = webhook.next()
    etag = lake.get_file_client("completed/1.1.json").get_file_properties().etag
    assert event["subject"] == "/blobServices/default/containers/aggregations/blobs/completed/1.1.json"
    assert event["eventType"] == "Microsoft.Storage.BlobCreated"
    assert event["notification"] == "Notification"
    assert event["data"]["url"].endswith("/aggregations/completed/1.1.json")
    assert (event["data"]["api"], event["data"]["contentLength"]) == ("FlushWithClose", 2)
    assert event["data"]["eTag"] == etag.strip('"')
    write(lake, "outbox/1/b", b"x", close=False)
    write(lake, "jobs/1.json", b"{}")
    write(lake, "completed/2.1.json", b"{}")
    assert webhook.subjects(1) == ["completed/2.1.json"]
    assert webhook.events.empty()


def test_a_file_that_others_put_in_the_folder_raises_its_event(
    lake: FileSystemClient, lake_folder: Path, webhook: Webhook
) -> None:
    (lake_folder / "new").write_bytes(gzip.compress(b"x", mtime=0))
    (lake_folder / "outbox/7/deep").mkdir(parents=True)
    (lake_folder / "new").replace(lake_folder / "outbox/7/deep/a.jsonl.gz")
    assert webhook.subjects(1) == ["outbox/7/deep/a.jsonl.gz"]
    (lake_folder / "newer").write_bytes(b"y")
    (lake_folder / "newer").replace(lake_folder / "outbox/7/deep/a.jsonl.gz")
    assert webhook.subjects(1) == ["outbox/7/deep/a.jsonl.gz"]


def test_events_go_on_after_a_watched_folder_was_removed(lake_url: str, lake_folder: Path, webhook: Webhook) -> None:
    shutil.rmtree(lake_folder / "completed")
    (lake_folder / "new").write_bytes(b"{}")
    (lake_folder / "completed").mkdir(exist_ok=True)
    (lake_folder / "new").replace(lake_folder / "completed/1.1.json")
    assert webhook.subjects(1) == ["completed/1.1.json"]


def test_a_rename_raises_no_event(lake: FileSystemClient, webhook: Webhook) -> None:
    write(lake, "tmp/a", b"1")
    lake.get_file_client("tmp/a").rename_file("aggregations/completed/a")
    write(lake, "completed/b", b"1")
    assert webhook.subjects(1) == ["completed/b"]
    assert webhook.events.empty()


def test_events_are_dropped_and_doubled_on_demand(lake_url: str, lake: FileSystemClient, webhook: Webhook) -> None:
    ask_faults(lake_url, {"on": "event", "fault": "drop", "nth": [1]}, {"on": "event", "fault": "double", "nth": [2]})
    for name in ("completed/a", "completed/b", "completed/c"):
        write(lake, name, b"1")
    assert webhook.subjects(3) == ["completed/b", "completed/b", "completed/c"]
    assert [rule["fired"] for rule in ask_faults(lake_url, method="GET")] == [1, 1]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"on": "create", "fault": "status", "status": 503, "nth": [1]}, None),
        ({"on": "flush", "fault": "hang", "nth": [1]}, None),
        ({"on": "append", "fault": "lost_reply", "nth": [1]}, None),
        (
            {
                "on": "write",
                "path": "jobs/",
                "fault": "status",
                "status": 403,
                "code": "AuthorizationPermissionMismatch",
            },
            HttpResponseError,
        ),
        ({"on": "flush", "fault": "race"}, ResourceModifiedError),
        # The reply to the first was lost: what is sent again finds the file that it made itself.
        ({"on": "create", "fault": "lost_reply", "nth": [1]}, ResourceExistsError),
        ({"on": "flush", "fault": "lost_reply", "nth": [1]}, ResourceModifiedError),
    ],
)
def test_faults_strike_requests_as_the_client_would_meet_them(
    rule: dict[str, Any], expected: type[Exception] | None, lake_url: str, lake: FileSystemClient
) -> None:
    def upload() -> None:
        file = lake.get_file_client("jobs/1.json")
        file.upload_data(b"1", overwrite=True, match_condition=MatchConditions.IfMissing)

    ask_faults(lake_url, rule)
    if expected is None:
        upload()
    else:
        with pytest.raises(expected):
            upload()
    assert ask_faults(lake_url, method="DELETE")[0]["fired"] >= 1


def test_without_the_flag_there_are_no_faults(tmp_path: Path) -> None:
    from local.lake.server import lake_app

    assert not any("_faults" in str(resource) for resource in lake_app(tmp_path / "a").router.resources())
