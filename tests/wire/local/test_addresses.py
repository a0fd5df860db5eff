"""The addresses that a stack tells."""

from pathlib import Path

from azure.storage.filedatalake import DataLakeServiceClient

from local import services
from local.services import Layout


def test_the_lakes_address_serves_a_client_without_credential(lake_url: str, tmp_path: Path) -> None:
    port = int(lake_url.rpartition(":")[2])
    addresses = Layout(tmp_path, dict.fromkeys(services.PORT_NAMES, port)).addresses()
    told = addresses["lake"]
    assert isinstance(told, dict)
    with DataLakeServiceClient(told["url"], retry_total=0) as service:
        file = service.get_file_client("aggregations", "a/b c")
        file.create_file()
        assert file.rename_file("aggregations/a/d").get_file_properties().size == 0
