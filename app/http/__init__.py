"""The HTTP routes: they read a request, call one service, and write an answer."""
