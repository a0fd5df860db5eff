"""The HTTP interface (coordinator 3) without Azure: requests in, use cases called, answers and problem details out."""
