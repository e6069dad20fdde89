"""The wire to Flash: questions, sends and the socket; it knows nothing of payouts' states."""
