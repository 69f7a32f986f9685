"""How long a text is for a model whose tokenizer is not at hand."""


def estimated_tokens(text: str) -> int:
    """Return an upper estimate of the tokens of `text`: one for every three bytes of UTF-8.

    English prose has about four bytes a token and JSON about three, so that a budget kept by this estimate is kept.
    """
    return -(-len(text.encode("utf-8", "surrogatepass")) // 3)
