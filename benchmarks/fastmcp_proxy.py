"""fastmcp's proxy, as a peer of `benchmarks.relay`; runs in the environment that `make peers` makes for it.

python benchmarks/fastmcp_proxy.py stdio|PORT URL|COMMAND...
"""

import sys

from fastmcp.client.transports import StdioTransport  # type: ignore[import-not-found]  # of another environment
from fastmcp.server import create_proxy  # type: ignore[import-not-found]

front, *back = sys.argv[1:]
proxy = create_proxy(back[0] if back[0].startswith("http") else StdioTransport(back[0], back[1:]))
if front == "stdio":
    proxy.run(transport="stdio", show_banner=False)
else:
    proxy.run(transport="http", host="127.0.0.1", port=int(front), path="/mcp", show_banner=False, log_level="error")
