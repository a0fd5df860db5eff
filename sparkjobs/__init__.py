"""The Spark jobs: settlement as PySpark over Spark Connect, the same code on Databricks, Apache Spark and Sail."""
