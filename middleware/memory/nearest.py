"""The remembered queries nearest to a new one, by BM25 over all of its words.

The index is derived from the memory and disposable: it lies in a folder beside it and can be deleted at any time.
tantivy rather than FTS5, which scores every match of every common word (docs/decisions/0003-nearest-queries.md, figures
in benchmarks/LOG.md).
"""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import tantivy

# Another value makes an old index unreadable, and so rebuilt: change it with the schema or the tokenizer.
VERSION = "1"
_HEAP_BYTES = 64_000_000
_MAX_WORDS = 64  # of one query; a longer one is a document, and its first words say what it is about


class IndexBusyError(Exception):
    """Another process is writing the index; what it holds can still be searched."""


class Neighbour(NamedTuple):
    """A remembered query's key (the caller's own number for it) and its BM25 score, higher is nearer."""

    key: int
    score: float


def remove_index(folder: Path) -> None:
    """Remove an index, or whatever else has its place: it is derived, and made anew by the next who needs it."""
    if folder.is_dir():
        shutil.rmtree(folder)
    else:
        folder.unlink(missing_ok=True)


def index_folder(memory: Path) -> Path:
    """Return where the index of this memory's queries lies."""
    return memory.with_name(memory.name + ".nearest")


def index_problem(folder: Path, *, of: str) -> str:
    """Return why the index in `folder` is no use for what it should be `of`; "" where it is, or there is none yet."""
    if not folder.exists():
        return ""
    try:
        if (folder / "version").read_text() != f"{VERSION} {of}":
            return "it was made from another memory, or by another version"
        index = tantivy.Index.open(str(folder))  # not NearestIndex, which writes its version
        index.reload()
        index.searcher()
    except (OSError, ValueError) as error:
        return f"it is damaged: {error}"
    return ""


class NearestIndex:
    """Texts by key. In RAM without a `folder`; with one, on disk, where one process at a time may write.

    `of` says what the texts are of; an index in `folder` that was made of something else is made anew.

    Raises:
        OSError, ValueError: on opening or using it: the folder cannot be used, or what is in it is damaged.
    """

    def __init__(self, folder: Path | None = None, *, of: str = "") -> None:
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("text", stored=False, tokenizer_name="practicum", index_option="freq")
        builder.add_integer_field("key", stored=True, fast=True)
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema) if folder is None else self._opened(folder, f"{VERSION} {of}")
        self._analyzer = (
            tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
            .filter(tantivy.Filter.lowercase())
            .filter(tantivy.Filter.ascii_fold())
            .filter(tantivy.Filter.stemmer("english"))
            .build()
        )
        self._index.register_tokenizer("practicum", self._analyzer)

    def _opened(self, folder: Path, mark: str) -> tantivy.Index:
        """Open the index in `folder`; one of another version, or of something else, is made anew."""
        marked = folder / "version"
        if folder.exists() and (not marked.exists() or marked.read_text() != mark):
            remove_index(folder)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        index = tantivy.Index(self._schema, path=str(folder))
        marked.write_text(mark)
        return index

    def add(self, texts: Iterable[tuple[int, str]]) -> int:
        """Add `(key, text)` pairs and return how many; all become visible at once.

        Raises:
            IndexBusyError: another process is writing the same index.
        """
        return self._write(lambda _: texts)

    def catch_up(self, texts_after: Callable[[int], Iterable[tuple[int, str]]]) -> int:
        """Add what `texts_after(last key)` gives, pairs in the order of their keys; return how many.

        The last key is asked for under the index's lock, so no text is added twice.

        Raises:
            IndexBusyError: another process is writing the same index.
        """
        if next(iter(texts_after(self.last_key())), None) is None:
            return 0
        return self._write(lambda last: texts_after(last))

    def _write(self, texts_after: Callable[[int], Iterable[tuple[int, str]]]) -> int:
        # One thread keeps the order of documents, and so the order among equal scores, the same in every run.
        try:
            writer = self._index.writer(heap_size=_HEAP_BYTES, num_threads=1)
        except ValueError as error:  # tantivy's only word for a lock that somebody holds
            raise IndexBusyError("another process is writing the nearest-query index") from error
        self._index.reload()
        count = 0
        for key, text in texts_after(self.last_key()):
            writer.add_document(tantivy.Document(text=text, key=key))
            count += 1
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        return count

    def nearest(self, query: str, count: int = 8) -> list[Neighbour]:
        """Return the `count` nearest texts, nearest first; fewer where fewer share a word with `query`."""
        words = list(dict.fromkeys(self._analyzer.analyze(query)))[:_MAX_WORDS]
        if not words:
            return []
        terms = [(tantivy.Occur.Should, tantivy.Query.term_query(self._schema, "text", word, "freq")) for word in words]
        searcher = self._index.searcher()
        # tantivy makes room for `limit` hits beforehand.
        limit = max(1, min(count, searcher.num_docs))
        found = searcher.search(tantivy.Query.boolean_query(terms), limit=limit, count=False)
        return [Neighbour(int(searcher.doc(address)["key"][0]), float(score)) for score, address in found.hits]

    def last_key(self) -> int:
        """Return the largest key that was added, -1 when there is none: where a caller goes on adding."""
        searcher = self._index.searcher()
        found = searcher.search(tantivy.Query.all_query(), limit=1, count=False, order_by_field="key")
        return int(searcher.doc(found.hits[0][1])["key"][0]) if found.hits else -1

    def __len__(self) -> int:
        return int(self._index.searcher().num_docs)
