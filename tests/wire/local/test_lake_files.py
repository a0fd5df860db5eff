"""The lake's server as the stock DataLake client sees it: create, write, read, move, delete."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from azure.core import MatchConditions
from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.filedatalake import ContentSettings, DataLakeServiceClient, FileSystemClient


def write(lake: FileSystemClient, path: str, content: bytes, close: bool = True) -> str:
    file = lake.get_file_client(path)
    file.create_file()
    file.append_data(content, 0)
    return str(file.flush_data(len(content), close=close)["etag"])


def read(lake: FileSystemClient, path: str) -> bytes:
    return bytes(lake.get_file_client(path).download_file().readall())


def test_appended_data_is_seen_only_after_the_flush_and_then_whole(lake: FileSystemClient, lake_folder: Path) -> None:
    file = lake.get_file_client("jobs/1.json")
    file.create_file()
    file.append_data(b"hello ", 0)
    file.append_data(b"world", 6)
    assert read(lake, "jobs/1.json") == b""
    assert (lake_folder / "jobs/1.json").read_bytes() == b""
    file.flush_data(11, close=True)
    assert read(lake, "jobs/1.json") == (lake_folder / "jobs/1.json").read_bytes() == b"hello world"


def test_data_can_be_added_to_what_was_flushed_before(lake: FileSystemClient) -> None:
    write(lake, "a", b"one", close=False)
    file = lake.get_file_client("a")
    file.append_data(b"two", 3)
    file.flush_data(6)
    assert read(lake, "a") == b"onetwo"


def test_a_flush_at_a_wrong_position_is_refused(lake: FileSystemClient) -> None:
    file = lake.get_file_client("a")
    file.create_file()
    file.append_data(b"one", 0)
    file.append_data(b"three", 7)
    for position in (8, 12):
        with pytest.raises(HttpResponseError, match="InvalidFlushPosition") as refused:
            file.flush_data(position)
        assert refused.value.status_code == 400


def test_appending_to_a_missing_file_is_path_not_found(lake: FileSystemClient) -> None:
    with pytest.raises(ResourceNotFoundError, match="PathNotFound"):
        lake.get_file_client("missing").append_data(b"x", 0)


def test_create_if_missing_refuses_the_second(lake: FileSystemClient) -> None:
    file = lake.get_file_client("state/keys/1")
    file.create_file(match_condition=MatchConditions.IfMissing)
    with pytest.raises(ResourceExistsError, match="PathAlreadyExists"):
        file.create_file(match_condition=MatchConditions.IfMissing)


def test_a_write_on_an_old_etag_is_refused(lake: FileSystemClient) -> None:
    first = write(lake, "jobs/1.json", b"1")
    file = lake.get_file_client("jobs/1.json")
    second = file.upload_data(b"2", overwrite=True, etag=first, match_condition=MatchConditions.IfNotModified)["etag"]
    assert first != second
    with pytest.raises(ResourceModifiedError, match="ConditionNotMet"):
        file.upload_data(b"3", overwrite=True, etag=first, match_condition=MatchConditions.IfNotModified)
    assert read(lake, "jobs/1.json") == b"2"


def test_a_write_of_another_one_in_the_folder_changes_the_etag(lake: FileSystemClient, lake_folder: Path) -> None:
    first = write(lake, "jobs/1.json", b"1")
    (lake_folder / "new").write_bytes(b"2")
    (lake_folder / "new").replace(lake_folder / "jobs/1.json")
    properties = lake.get_file_client("jobs/1.json").get_file_properties()
    assert properties.etag != first
    assert read(lake, "jobs/1.json") == b"2"


def test_every_write_of_the_same_content_has_its_own_etag(lake: FileSystemClient) -> None:
    assert len({write(lake, "a", b"same") for _ in range(20)}) == 20


def test_a_range_is_read_and_one_outside_refused(lake: FileSystemClient) -> None:
    write(lake, "a", b"0123456789")
    file = lake.get_file_client("a")
    assert file.download_file(offset=2, length=3).readall() == b"234"
    with pytest.raises(HttpResponseError, match="InvalidRange"):
        file.download_file(offset=20, length=3)


def test_a_large_file_is_read_in_parallel_chunks(lake: FileSystemClient) -> None:
    content = bytes(range(256)) * 40_000
    file = lake.get_file_client("large")
    file.upload_data(content, overwrite=True, chunk_size=1 << 20, max_concurrency=4)
    assert file.download_file(max_concurrency=4).readall() == content


def test_metadata_and_content_settings_stay_with_the_file_over_a_rename(lake: FileSystemClient) -> None:
    file = lake.get_file_client("a")
    file.create_file(metadata={"job": "1"}, content_settings=ContentSettings(content_type="application/json"))
    file.append_data(b"x", 0)
    file.flush_data(1)
    properties = file.rename_file("aggregations/b").get_file_properties()
    assert (properties.metadata, properties.content_settings.content_type) == ({"job": "1"}, "application/json")
    moved = lake.get_file_client("b")
    etag = properties.etag
    moved.set_metadata({"job": "2"})
    assert moved.get_file_properties().metadata == {"job": "2"}
    assert moved.get_file_properties().etag != etag


def test_rename_never_replaces_a_file_when_asked_not_to(lake: FileSystemClient) -> None:
    write(lake, "outbox/1/a", b"new")
    write(lake, "sent/1/a", b"old")
    file = lake.get_file_client("outbox/1/a")
    with pytest.raises(ResourceExistsError, match="PathAlreadyExists"):
        file.rename_file("aggregations/sent/1/a", match_condition=MatchConditions.IfMissing)
    assert (read(lake, "outbox/1/a"), read(lake, "sent/1/a")) == (b"new", b"old")


def test_rename_needs_the_target_s_directory_and_its_source(lake: FileSystemClient) -> None:
    write(lake, "outbox/1/a", b"x")
    file = lake.get_file_client("outbox/1/a")
    with pytest.raises(ResourceNotFoundError, match="RenameDestinationParentPathNotFound"):
        file.rename_file("aggregations/sent/1/a")
    lake.get_directory_client("sent/1").create_directory()
    file.rename_file("aggregations/sent/1/a")
    assert not file.exists()
    with pytest.raises(ResourceNotFoundError, match="SourcePathNotFound"):
        file.rename_file("aggregations/sent/1/b")


def test_a_full_directory_is_never_replaced_by_a_rename(lake: FileSystemClient) -> None:
    write(lake, "a/1", b"1")
    write(lake, "b/2", b"2")
    with pytest.raises(ResourceExistsError, match="PathAlreadyExists"):
        lake.get_directory_client("a").rename_directory("aggregations/b")
    assert read(lake, "b/2") == b"2"


def test_rename_takes_a_directory_and_a_condition_on_its_source(lake: FileSystemClient) -> None:
    etag = write(lake, "x/y/a b#é.txt", b"1")
    lake.get_directory_client("x").rename_directory("aggregations/z")
    file = lake.get_file_client("z/y/a b#é.txt")
    with pytest.raises(HttpResponseError, match="SourceConditionNotMet"):
        file.rename_file("aggregations/q", source_etag='"0x0"', source_match_condition=MatchConditions.IfNotModified)
    file.rename_file("aggregations/q", source_etag=etag, source_match_condition=MatchConditions.IfNotModified)
    assert read(lake, "q") == b"1"


def test_delete_checks_the_etag_and_says_when_nothing_is_there(lake: FileSystemClient) -> None:
    etag = write(lake, "a", b"1")
    file = lake.get_file_client("a")
    with pytest.raises(ResourceModifiedError):
        file.delete_file(etag='"0x0"', match_condition=MatchConditions.IfNotModified)
    file.delete_file(etag=etag, match_condition=MatchConditions.IfNotModified)
    with pytest.raises(ResourceNotFoundError):
        file.delete_file()


def test_a_directory_is_deleted_with_all_in_it(lake: FileSystemClient, lake_folder: Path) -> None:
    write(lake, "work/1/a", b"1")
    lake.delete_directory("work/1")
    assert not (lake_folder / "work/1").exists()
    with pytest.raises(ResourceNotFoundError):
        lake.get_directory_client("work/1").delete_directory()


def test_paths_are_listed_by_name_in_pages(lake: FileSystemClient) -> None:
    names = [f"jobs/{number:02}.json" for number in range(7)]
    for name in names:
        write(lake, name, b"{}")
    write(lake, "jobs/03/inner", b"1")
    pages = [[path.name for path in page] for page in lake.get_paths("jobs", max_results=3).by_page()]
    assert [len(page) for page in pages] == [3, 3, 3]
    assert [path for page in pages for path in page] == [*names[:3], "jobs/03", "jobs/03/inner", *names[3:]]
    flat = {path.name: path for path in lake.get_paths("jobs", recursive=False)}
    assert flat["jobs/03"].is_directory
    assert not flat["jobs/00.json"].is_directory
    file = lake.get_file_client("jobs/00.json").get_file_properties()
    listed = flat["jobs/00.json"]
    assert (listed.content_length, listed.last_modified) == (2, file.last_modified.replace(tzinfo=None))
    assert listed.etag == file.etag.strip('"')


def test_a_listed_etag_serves_as_a_condition(lake: FileSystemClient) -> None:
    write(lake, "jobs/1.json", b"1")
    (listed,) = lake.get_paths("jobs")
    file = lake.get_file_client("jobs/1.json")
    file.delete_file(etag=listed.etag, match_condition=MatchConditions.IfNotModified)


def test_listing_what_is_not_there_is_path_not_found(lake: FileSystemClient) -> None:
    with pytest.raises(ResourceNotFoundError, match="PathNotFound"):
        list(lake.get_paths("nowhere"))


def test_another_file_system_is_not_found(lake_url: str, lake: FileSystemClient) -> None:
    assert lake.exists()
    with DataLakeServiceClient(lake_url) as service, service.get_file_system_client("other") as other:
        assert not other.exists()
        with pytest.raises(ResourceNotFoundError, match="FilesystemNotFound"):
            list(other.get_paths())
        with pytest.raises(ResourceNotFoundError):
            other.get_file_client("a").get_file_properties()
    with pytest.raises(ResourceExistsError):
        lake.create_file_system()


@pytest.mark.parametrize("credential", [AzureSasCredential("sig=x"), AzureNamedKeyCredential("local", "a2V5")])
def test_keys_and_a_url_without_account_change_nothing(
    credential: AzureSasCredential | AzureNamedKeyCredential, lake_url: str, lake: FileSystemClient
) -> None:
    write(lake, "a", b"1")
    with DataLakeServiceClient(lake_url, credential=credential) as service:
        file = service.get_file_client("aggregations", "a")
        assert file.download_file().readall() == b"1"
        file.rename_file("aggregations/b")
    assert read(lake, "b") == b"1"


def test_a_path_cannot_leave_the_folder(lake: FileSystemClient, lake_folder: Path) -> None:
    (lake_folder.parent / "secret").write_text("x")
    with pytest.raises(HttpResponseError):
        lake.get_file_client("a/%2e%2e/%2e%2e/secret").download_file()


def test_of_many_writers_with_the_same_etag_one_wins(lake: FileSystemClient) -> None:
    etag = write(lake, "jobs/1.json", b"0")

    def replace(content: bytes) -> bool:
        aside = lake.get_file_client(f"aside/{content.decode()}")
        aside.create_file()
        aside.append_data(content, 0)
        aside.flush_data(len(content), close=True)
        try:
            aside.rename_file("aggregations/jobs/1.json", etag=etag, match_condition=MatchConditions.IfNotModified)
        except ResourceModifiedError:
            return False
        return True

    contents = [f"{number:02}".encode() for number in range(12)]
    with ThreadPoolExecutor(6) as writers:
        won = [content for content, wins in zip(contents, writers.map(replace, contents), strict=True) if wins]
    assert [read(lake, "jobs/1.json")] == won
