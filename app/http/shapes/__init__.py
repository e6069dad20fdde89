"""What the API answers, as its description tells it: field by field, and nothing beside."""
