"""What the demo prints, and the addresses that a stack tells."""

from pathlib import Path

from azure.storage.filedatalake import DataLakeServiceClient

from local import services
from local.demo.report import printed
from local.services import Layout


def test_a_document_is_printed_digit_by_digit_from_its_first_value_on() -> None:
    points = '[{"quantity":0.000},{"quantity":1.500},{"quantity":20000000.100},{"quantity":3.000}]'
    text = printed(f'{{"X_MarketDocument":{{"mRID":"0.0","Series":[{{"Period":{{"Point":{points}}}}}]}}}}')
    assert [line.split(": ")[1] for line in text.splitlines() if "quantity" in line] == ["1.500", "20000000.100"]
    assert '"… 2 more"' in text
    assert '"mRID": "0.0"' in text


def test_the_lakes_address_serves_a_client_without_credential(lake_url: str, tmp_path: Path) -> None:
    port = int(lake_url.rpartition(":")[2])
    addresses = Layout(tmp_path, dict.fromkeys(services.PORT_NAMES, port)).addresses()
    told = addresses["lake"]
    assert isinstance(told, dict)
    with DataLakeServiceClient(told["url"], retry_total=0) as service:
        file = service.get_file_client("aggregations", "a/b c")
        file.create_file()
        assert file.rename_file("aggregations/a/d").get_file_properties().size == 0
