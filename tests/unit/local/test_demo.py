"""What the demo prints."""

from local.demo.report import printed


def test_a_document_is_printed_digit_by_digit_from_its_first_value_on() -> None:
    points = '[{"quantity":0.000},{"quantity":1.500},{"quantity":20000000.100},{"quantity":3.000}]'
    text = printed(f'{{"X_MarketDocument":{{"mRID":"0.0","Series":[{{"Period":{{"Point":{points}}}}}]}}}}')
    assert [line.split(": ")[1] for line in text.splitlines() if "quantity" in line] == ["1.500", "20000000.100"]
    assert '"… 2 more"' in text
    assert '"mRID": "0.0"' in text
