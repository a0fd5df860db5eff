"""The real stack under fire: processes are killed, stand-ins fail, several seeds at once."""
