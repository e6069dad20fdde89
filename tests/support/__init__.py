"""What tests lean on: private servers, builders and readers of the source tree."""
