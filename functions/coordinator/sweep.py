"""Whatever an event was missed for (coordinator 1 and 4). Safe to run twice at once."""
