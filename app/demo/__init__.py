"""The demo: a made-up past for a market by the harbour, and what keeps its present moving."""
