"""HTTP on both sides: each exchange of a client with a remote server passed on as it is."""
