"""Damaged texts and answers by the million, against everything that reads what strangers wrote."""
