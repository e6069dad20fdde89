"""A stand-in for Flash in its own process: its public schema, its ways, and a durable ledger."""
