"""The function app: coordinates Spark jobs and sends the market actors their messages."""
