"""The same app on one machine: stand-ins for Azure and Databricks over their real wires."""
