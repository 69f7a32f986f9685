"""The relay over HTTP, in front of a URL, of a command, or behind a client on stdio; needs aiohttp and asyncio."""
