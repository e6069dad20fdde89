"""Fixtures every test may use; what is specific stands beside the tests."""
