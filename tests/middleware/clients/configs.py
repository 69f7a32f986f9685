"""Configuration files as clients document them, as people keep them, and as nobody should: each with the servers that
get a relay, and those that must be left.

What each run has its own of is named: @PY@ is a Python, @ECHO@ the server's script, @BIN@ a folder with a program
called `echo-server`, @ODD@ one (spelled for JSON) whose path holds quotes, blanks, a backslash and letters that ASCII
lacks, and @URL@ a server that speaks HTTP. `{@S@}` is an entry that runs the script.
"""

from typing import NamedTuple

SERVER = '"command": "@PY@", "args": ["-I", "@ECHO@"]'


class Config(NamedTuple):
    """A file: its content, and by name which servers get a relay and which are left."""

    name: str
    content: bytes
    wrapped: tuple[str, ...]
    left: tuple[str, ...] = ()


def _config(name: str, text: str, wrapped: str = "", left: str = "") -> Config:
    return Config(name, text.replace("@S@", SERVER).encode(), tuple(wrapped.split()), tuple(left.split()))


CLAUDE_DESKTOP = """{
  "globalShortcut": "",
  "mcpServers": {
    "filesystem": {
      "command": "@PY@",
      "args": [
        "-I",
        "@ECHO@",
        "/home/me/Desktop",
        "/home/me/Downloads"
      ]
    },
    "github": {
      "command": "echo-server",
      "env": {
        "GITHUB_PERSONAL_ACCESS_TOKEN": "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "PATH": "@BIN@"
      }
    }
  },
  "preferences": {
    "quickEntryDictationShortcut": "off"
  }
}
"""
VSCODE = """{
\t// Servers of this workspace.
\t"inputs": [
\t\t{
\t\t\t"type": "promptString",
\t\t\t"id": "api-key", // asked once
\t\t\t"description": "API key",
\t\t\t"password": true,
\t\t},
\t],
\t"servers": {
\t\t/* local */
\t\t"local": {
\t\t\t"type": "stdio",
\t\t\t"command": "${workspaceFolder}/serve.py", // beside the code
\t\t\t"args": ["--key", "${input:api-key}", /* last */ ],
\t\t\t"env": { "API_KEY": "${input:api-key}", },
\t\t\t"envFile": "${workspaceFolder}/.env",
\t\t},
\t\t"remote": {
\t\t\t"type": "http",
\t\t\t"url": "@URL@?apiVersion=1",
\t\t\t"headers": { "Authorization": "Bearer ${input:api-key}" },
\t\t},
\t\t"slack": { "type": "http", "url": "https://mcp.slack.invalid/mcp", "oauth": { "clientId": "1" } },
\t\t"boxed": { "type": "stdio", "command": "npx", "sandboxEnabled": true },
\t\t"debugged": { "type": "stdio", "command": "node", "dev": { "debug": { "type": "node" } } },
\t},
}
"""
SETTINGS = """// Settings
{
    "editor.fontSize": 13, // points
    "editor.rulers": [80, 120,],
    "files.exclude": { "**/.git": true, "**/*.{a,b}": false /* "mcpServers": {} */ },
    "workbench.colorCustomizations": { "[Dark]": { "a": { "b": { "c": [[[{ "mcpServers": { "no": {} } }]]] } } } },
    "mcp": {
        "inputs": [],
        "servers": {
            "one": { @S@ },
        },
    },
    "mcp.servers": { "two": { @S@ } },
    "chat.mcp.enabled": true,
}
"""
CLAUDE_CODE_USER = """{
  "numStartups": 184,
  "tipsHistory": {"shift-enter": 3},
  "projects": {
    "/home/me/a.b/c": {
      "allowedTools": [],
      "mcpServers": {
        "local-one": {"type": "stdio", @S@, "env": {}}
      },
      "hasTrustDialogAccepted": true
    },
    "/home/me/empty": {"mcpServers": {}},
    "/home/me/ünïcode": {"mcpServers": {"same": {@S@}}}
  },
  "mcpServers": {
    "same": {"type": "stdio", @S@, "env": {"N": "1"}},
    "docs": {"type": "http", "url": "@URL@", "headers": {"X-Key": "${DOCS_KEY:-none}"}},
    "events": {"type": "sse", "url": "https://events.invalid/sse"},
    "socket": {"type": "ws", "url": "wss://events.invalid"},
    "helped": {"type": "http", "url": "https://helped.invalid/mcp", "headersHelper": "./headers.sh"}
  },
  "oauthAccount": {"emailAddress": "me@example.invalid"}
}"""

CONFIGS = [
    _config("claude desktop", CLAUDE_DESKTOP, "filesystem github"),
    _config("claude desktop with CRLF", CLAUDE_DESKTOP.replace("\n", "\r\n"), "filesystem github"),
    _config("claude desktop with a mark", "\ufeff" + CLAUDE_DESKTOP, "filesystem github"),
    _config("mark, CRLF and no end", "\ufeff" + CLAUDE_DESKTOP.strip().replace("\n", "\r\n"), "filesystem github"),
    _config("minified", "".join(map(str.strip, CLAUDE_DESKTOP.splitlines())), "filesystem github"),
    _config("old Mac line ends", CLAUDE_DESKTOP.replace("\n", "\r"), "filesystem github"),
    _config("vscode workspace", VSCODE, "local remote", "slack boxed debugged"),
    _config("vscode workspace with CRLF", VSCODE.replace("\n", "\r\n"), "local remote", "slack boxed debugged"),
    _config("vscode settings", SETTINGS, "one two"),
    _config("claude code user", CLAUDE_CODE_USER, "local-one same same docs", "events socket helped"),
    _config(
        "claude code project",
        """{"mcpServers":{
        "api":{"type":"http","url":"${BASE}","headers":{"Authorization":"Bearer ${TOKEN}"}},
        "tool":{"command":"${PYTHON}","args":["-I","${ECHO_SERVER}","${MISSING:-a default}"],"env":{"K":"${TOKEN}"}}}}
        """,
        "api tool",
    ),
    _config(
        "cursor project",
        """{
  "mcpServers": {
    "a": {
      "command": "${workspaceFolder}/serve.py",
      "args": ["${userHome}"],
      "env": {
        "KEY": "${env:TOKEN}"
      },
      "envFile": ".env"
    },
    "b": {"url": "@URL@", "headers": {"X-Api-Key": "${env:TOKEN}"}},
    "c": {"url": "https://signs-in.invalid/mcp"},
    "d": {"url": "https://signs-in.invalid/mcp", "auth": {"CLIENT_ID": "1", "scopes": ["a"]}}
  }
}
""",
        "a b",
        "c d",
    ),
    _config(
        "gemini",
        """{"theme": "x", "mcp": {"allowed": ["a"]}, "mcpServers": {
        "a": {"httpUrl": "@URL@", "headers": {"Authorization": "a-token"}, "timeout": 5000},
        "b": {@S@, "trust": false, "includeTools": ["echo"]}}}""",
        "a b",
    ),
    _config("no line end", '{"servers": {"a": {@S@}}}', "a"),
    _config("many line ends", '\n\n{"servers": {"a": {@S@}}}\n\n\n', "a"),
    _config(
        "blanks everywhere",
        ' \t{ \n"mcpServers" \t:\r\n { "a" : { "command" : "@PY@" , "args" : [ "-I" , "@ECHO@" ] } } } ',
        "a",
    ),
    _config("no args", '{"mcpServers": {"a": {"command": "@BIN@/echo-server"}}}', "a"),
    _config(
        "no args over lines",
        '{"mcpServers": {"a": {\n\t"env": {},\n\t"command": "@BIN@/echo-server" // it\n}}}',
        "a",
    ),
    _config(
        "args null",
        '{"mcpServers": {"a": {"command": "@BIN@/echo-server", "args": null, "env": null, "url": null}}}',
        "a",
    ),
    _config("args empty", '{"mcpServers": {"a": {"args": [], "command": "@BIN@/echo-server"}}}', "a"),
    _config("args a comment", '{"servers": {"a": {"args": [ // none\n ], "command": "@BIN@/echo-server",}}}', "a"),
    _config("args before command", '{"mcpServers": {"a": {"args": ["-I",\n\n "@ECHO@"], "command": "@PY@"}}}', "a"),
    _config(
        "args like ours",
        """{"mcpServers": {"a": {"command": "@PY@",
        "args": ["-I", "@ECHO@", "--", "--name", "x", "-I", "-m", "learner", "proxy", "--"]}}}""",
        "a",
    ),
    _config(
        "args that are hard to quote",
        r"""{"mcpServers": {"a": {"command": "@PY@", "args": ["-I", "@ECHO@", "", " ", "a b", "\"", "\\", "\\\"",
        "\u00e9", "\/", "\n\t", "$HOME", "`x`", "*", "日本語", "\ud83d\ude00", "🙂", "--x=\"y\"",
        "// no comment", "/* no */", ",]"]}}}""",
        "a",
    ),
    _config(
        "environment that is hard to quote",
        r"""{"mcpServers": {"a": {@S@,
        "env": {"A": "\"\\\/\u00e9\n", "B C": "", "ß": "ü", "JSON": "{\"a\": [1, 2]}"}}}}""",
        "a",
    ),
    _config("a command with an odd path", '{"mcpServers": {"a": {"command": "@ODD@", "args": ["x"]}}}', "a"),
    _config(
        "an odd path behind a command",
        '{"mcpServers": {"a": {"command": "@PY@", "args": ["-I", "@ODD@"], "cwd": "@BIN@"}}}',
        "a",
    ),
    _config(
        "names of all kinds",
        r"""{"mcpServers": {"": {@S@}, " ": {@S@}, "a.b/c\\d": {@S@}, "\u00e9\"": {@S@}, "-x": {@S@}, "--": {@S@},
        "日本 語": {@S@}, "a\tb": {@S@}}}""",
        "*",
    ),
    _config("a name twice", '{"mcpServers": {"a": {"command": "first"}, "b": {@S@}, "a": {@S@}}}', "a b"),
    _config(
        "a command twice",
        """{"mcpServers": {"a":
        {"command": "first", "args": ["no"], "args": ["-I", "@ECHO@"], "command": "@PY@"}}}""",
        "a",
    ),
    _config("servers twice", '{"mcpServers": {"b": {"command": "no"}}, "x": 1, "mcpServers": {"a": {@S@}}}', "a"),
    _config(
        "escaped keys",
        r"""{"mcp\u0053ervers": {"a": {"c\u006fmmand": "@PY@", "\u0061rgs": ["-I", "@ECHO@"]},
        "w": {"ur\u006c": "@URL@", "h\u0065aders": {"X-K\u0065y": "a-value"}}}}""",
        "a w",
    ),
    _config(
        "comments in all places",
        '/*1*/{/*2*/"servers"/*3*/:/*4*/{/*5*/"a"/*6*/:/*7*/{/*8*/"command"/*9*/:/*10*/"@PY@"/*11*/,/*12*/"args"/*13*/'
        ':/*14*/[/*15*/"-I"/*16*/,/*17*/"@ECHO@"/*18*/,/*19*/]/*20*/,/*21*/}/*22*/,}/*23*/}/*24*///25',
        "a",
    ),
    _config(
        "line comments in all places",
        '// 1\n{ // 2 "\n"servers": // { 3\n{ // } 4\n"a": { // 5\n"command": // 6\n"@PY@", // 7 "x"\n"args": // 8\n'
        '[ // 9 ]\n"-I", // 10\n"@ECHO@" // 11\n] // 12\n} // 13\n} // 14\n}\n// 15',
        "a",
    ),
    _config(
        "entries that are commented out",
        '{"servers": {\n// "old": {"command": "x"},\n"a": {@S@},\n/* "older": {"command": "y"} */\n}}',
        "a",
    ),
    _config(
        "commas before every end",
        '{"servers": {"a": {"command": "@PY@", "args": ["-I", "@ECHO@",], "env": {"A": "1",},},},}',
        "a",
    ),
    _config("disabled", '{"mcpServers": {"a": {@S@, "disabled": true, "autoApprove": ["x"], "alwaysAllow": []}}}', "a"),
    _config(
        "unknown keys",
        """{"$schema": "x", "a": [1e400, -0, 1.0, null], "z": {"mcpServers": 1}, "mcpServers": {"a":
        {"x": {"command": "no"}, @S@, "icon": {"url": "no"}, "timeout": 60}}}""",
        "a",
    ),
    _config(
        "http in all spellings",
        r"""{"mcpServers": {"a": {"type": "http", "url": "@URL@"},
        "b": {"type": "streamable-http", "url": "@URL@", "headers": {}},
        "c": {"transport": "streamableHttp", "url": "@URL@", "headers": null},
        "d": {"serverUrl": "@URL@", "headers": {"Authorization": "Basic YTpi", "X-A": "", "x_b": "\u0041 \/ \"q\""}}}}
        """,
        "a b c d",
    ),
    _config(
        "http over lines",
        """{
  "mcpServers": {
    "a": {
      "headers": {
        "Authorization": "Bearer x" // mine
      },
      "url": "@URL@", // main
      "type": "http"
    }
  }
}
""",
        "a",
    ),
    _config(
        "http with an environment",
        """{"mcpServers": {"a": {"url": "@URL@", "env": {}}, "b": {"url": "@URL@", "env": null, "headers": null},
        "c": {"headers": {"X-Key": "a-value", "Authorization": "b-value"}, "env": {"A": "1"}, "url": "@URL@"},
        "d": {"env": { /* none */ }, "url": "@URL@", "headers": {"X-Key": "a-value"},}}}""",
        "a b c d",
    ),
    _config(
        "http that is left",
        """{"mcpServers": {"a": {"url": "https://x.invalid/sse"}, "b": {"url": "@URL@", "env": "A=1"},
        "c": {"url": "@URL@", "command": "x"}, "d": {"url": "@URL@", "headers": {"a b": "1"}}, "f": {"url": 5},
        "e": {"url": "@URL@", "headers": {"A": 1}}, "g": {"url": "${BASE}"}, "h": {"type": 7, "url": "@URL@"},
        "i": {"url": "https://x.invalid", "headers": {"X-Region": "eu"}}, "j": {"url": "unix:///tmp/x.sock#/mcp"}}}""",
        "",
        "a b c d f e g h i j",
    ),
    _config(
        "entries that are none",
        """{"mcpServers": {"a": null, "b": 5, "c": "x", "d": [], "e": {}, "f": {"command": 5}, "g": {"command": ""},
        "h": {"command": "x", "args": "y"}, "i": {"command": "x", "args": ["y", 5]}, "j": {"command": ["x"]},
        "k": {"type": "docker", "command": "x"}}}""",
        "",
        "a b c d e f g h i j k",
    ),
    _config("no servers yet", '{"mcpServers": {}}'),
    _config("nothing at all", ""),
    _config("an empty object", "{}"),
    _config("only a comment", "// nothing yet\n"),
]
