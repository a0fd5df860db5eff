"""One schema per table that crosses a border, every column commented."""
