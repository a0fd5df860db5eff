"""What stands behind the ports: Databricks, ADLS Gen2, a folder, Event Hub, Entra tokens, and fakes in memory."""
