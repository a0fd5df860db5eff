"""Pure: who receives what, rows to series, series to documents, ids and the envelope."""
