"""Migrations of the database: the one folder of models that does IO."""
