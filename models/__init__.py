"""The words of the house: values, enums, the state table, errors, events and tables."""
