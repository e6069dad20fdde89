"""The only SQL: synchronous functions on a transaction, values in and out, never rows."""
