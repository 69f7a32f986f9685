"""A remote server for a client on stdio: lines in, requests out, and the other way round."""
