"""A server on stdio for clients over HTTP: their requests in, lines out, and the other way round."""
