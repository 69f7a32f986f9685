"""A document store: folders with documents that people own, label, share, move, keep versions of, and throw away.

Its habits, which no description tells; the forms are drawn from the seed:

- A folder is a path, in a form of the store's own. Documents, people, labels, roles and orders are codes made of their
  names. Days have a form of their own, and it is not 2026-03-03.
- A folder's documents come in pages of five. What lies in the trash is found nowhere, and can only be restored.
- A document that is created without a label is public. A request id makes creating safe to repeat: the same request is
  answered as before, another one with that id is refused.
- Three folders are read-only: nothing goes in or out. Two are private: the store talks as if they were not there.
- A sealed document cannot be shared, but anybody may change its label. Nothing is kept for more than a year.
- Most refusals show the right form by an example, or list the choices. Nothing is told by `create_document`, nor of the
  folder by `restore_document`, the role by `list_access`, the day by `list_versions`, the person by `find_documents`
  and the order after a `cursor`.
"""

import datetime
import functools
import itertools
import random
from dataclasses import dataclass, field

from servers.codebooks import codes, days
from servers.colleagues import colleagues
from servers.errors import ToolError
from servers.forms import CASES, Codebook, DateForm, NameForm, Told, date_forms, name_forms
from servers.service import ServiceState

LABELS = ("public", "internal", "confidential", "sealed", "obsolete")
DEFAULT_LABEL = "public"
SEALED = "sealed"
ROLES = ("viewer", "commenter", "writer", "translator", "manager")
ORDERS = ("name", "size", "age", "owner")
OPENS = datetime.time(8, 0)  # of the store's clock on its first day
OPEN_FOLDERS, READ_ONLY_FOLDERS, PRIVATE_FOLDERS = 21, 3, 2
DOCUMENTS = 180
OWNERS = 11
PAGE = 5
LONGEST_KEPT = datetime.timedelta(days=365)

# No two words of a list begin with the same three letters, so that shortened names stay distinct.
SUBJECTS = (
    "Arctic", "Bridge", "Copper", "Desert", "Eclipse", "Forest", "Glacier", "Harvest", "Island", "Jungle", "Kettle",
    "Lantern", "Mountain", "Northern", "Orchard", "Prairie", "Quarry", "River", "Solar", "Tunnel", "Volcano", "Winter",
)  # fmt: skip
KINDS = (
    "Agenda", "Budget", "Checklist", "Dossier", "Estimate", "Figures", "Guideline", "Handbook", "Inventory", "Journal",
    "Ledger", "Memo", "Notes", "Outline", "Proposal", "Questionnaire", "Report", "Summary", "Timetable",
)  # fmt: skip
TEAMS = ("Accounting", "Building", "Catering", "Design", "Energy", "Fleet", "Garden", "Housing", "Library", "Museum")
PLACES = ("Archive", "Basement", "Corner", "Drawer", "Exchange", "Gallery", "Hall", "Lobby", "Vault", "Workshop")

MARKS = {
    "document": ("doc", "file", "txt", "md", "odt", "pdf", "rtf", "obj"),
    "person": ("usr", "u", "acct", "id", "mbr", "uid", "staff", "who"),
    "label": ("lbl", "cls", "tag", "mark", "sec", "lvl", "l", "grade"),
    "role": ("rl", "can", "acl", "perm", "gr", "acc", "right", "r"),
    "order": ("by", "sort", "ord", "asc", "key", "o", "seq", "rank"),
}
ROOTS = ("/vol/", "fs://", "~/", "dav:/", "//nas/", "home:", "@", "root/", "store:", "/mnt/d/")


@dataclass(frozen=True)
class PathForm:
    """A folder's name as a path: what it begins and ends with, what joins its words, and in which case they are."""

    root: str
    joint: str
    case: str
    end: str

    def write(self, value: str, /) -> str:
        """Return the path of the folder `value`."""
        recase = {"lower": str.lower, "upper": str.upper, "title": str.title}[self.case]
        return self.root + self.joint.join(recase(word) for word in value.split()) + self.end


@functools.cache
def path_forms() -> tuple[PathForm, ...]:
    """Return every form; a path that begins with a bare slash, which everybody tries first, is never right."""
    return tuple(itertools.starmap(PathForm, itertools.product(ROOTS, ("-", "_", ".", "+"), CASES, ("", "/"))))


@dataclass(frozen=True)
class Forms:
    """How this seed's store wants each kind of argument written."""

    folder: PathForm
    document: NameForm
    person: NameForm
    label: NameForm
    role: NameForm
    order: NameForm
    date: DateForm


@dataclass
class Document:
    """A document. `versions` are the days on which each was saved; `current` is the number of the one in force.

    `shares` is person → role; `keep_until` and `request_id` are None where nobody asked for any.
    """

    folder: str
    owner: str
    label: str
    size_kb: int
    versions: list[datetime.date]
    current: int
    trashed: bool = False
    shares: dict[str, str] = field(default_factory=dict)
    keep_until: datetime.date | None = None
    request_id: str | None = None


@dataclass(kw_only=True)
class State(ServiceState):
    """`folders` are those that the user sees, `read_only` among them; `documents` is by name."""

    forms: Forms
    folders: tuple[str, ...]
    read_only: tuple[str, ...]
    people: tuple[str, ...]
    documents: dict[str, Document]

    def folder(self) -> Codebook[str]:
        """Return the paths of the folders that the user may see."""
        return _paths(self.forms.folder, self.folders)

    def read_writable(self, path: str, told: Told) -> str:
        """Return the folder that `path` stands for, if it may be changed."""
        return self.checked(self.folder().read("folder", path, told=told))

    def checked(self, folder: str) -> str:
        """Return `folder`, if it may be changed."""
        if folder in self.read_only:
            raise ToolError(f"403: {folder} is read-only, nothing goes in or out; any other folder will do.")
        return folder

    def read_document(self, code: str, told: Told, *, trashed: bool = False) -> tuple[str, Document]:
        """Return the document that `code` stands for and its name; `trashed` tells where it has to be."""
        names = tuple(name for name, document in self.documents.items() if document.folder in self.folders)
        name = codes(self.forms.document, names, "Amber Zoology").read("document", code, told=told)
        if self.documents[name].trashed != trashed:
            raise ToolError("409: not in the trash" if trashed else "404")
        return name, self.documents[name]

    def read_person(self, argument: str, code: str, told: Told) -> str:
        """Return the person that `code` stands for."""
        return codes(self.forms.person, self.people, "Alex Sample").read(argument, code, told=told)

    def read_label(self, code: str, told: Told) -> str:
        """Return the label that `code` stands for."""
        return codes(self.forms.label, LABELS, "draft").read("label", code, told=told)

    def read_role(self, code: str, told: Told) -> str:
        """Return the role that `code` stands for."""
        return codes(self.forms.role, ROLES, "spectator").read("role", code, told=told)

    def read_order(self, code: str, told: Told) -> str:
        """Return the order that `code` stands for."""
        return codes(self.forms.order, ORDERS, "colour").read("order", code, told=told)

    def date(self) -> Codebook[datetime.date]:
        """Return the days."""
        return days(self.forms.date, self.today)


def first_state(seed: int) -> State:
    """Return how the store of `seed` starts."""
    forms = random.Random(f"files forms {seed}")  # noqa: S311 - a simulation, not a secret
    rng = random.Random(f"files {seed}")  # noqa: S311 - a simulation, not a secret
    today = datetime.date(2026, 1, 1) + datetime.timedelta(days=rng.randrange(365))
    people = colleagues(seed)
    folders = rng.sample([f"{team} {place}" for team in TEAMS for place in PLACES], OPEN_FOLDERS + READ_ONLY_FOLDERS)
    private = [f"Private {place}" for place in rng.sample(PLACES, PRIVATE_FOLDERS)]
    documents = {
        name: _document(rng, rng.choice([*folders, *private]), people, today)
        for name in rng.sample([f"{subject} {kind}" for subject in SUBJECTS for kind in KINDS], DOCUMENTS)
    }
    return State(
        seed=seed,
        now=datetime.datetime.combine(today, OPENS),
        forms=Forms(
            folder=forms.choice(path_forms()),
            **{kind: forms.choice(name_forms(marks)) for kind, marks in MARKS.items()},
            date=forms.choice(date_forms()),
        ),
        folders=tuple(folders),
        read_only=tuple(folders[OPEN_FOLDERS:]),
        people=people,
        documents=documents,
    )


def _document(rng: random.Random, folder: str, people: tuple[str, ...], today: datetime.date) -> Document:
    saved = sorted(today - datetime.timedelta(days=rng.randrange(1, 400)) for _ in range(rng.randrange(2, 7)))
    return Document(
        folder=folder,
        owner=rng.choice(people[:OWNERS]),
        label=rng.choice(LABELS),
        size_kb=rng.randrange(4, 4000),
        versions=saved,
        current=len(saved),
        trashed=rng.random() < 0.3,
        shares={person: rng.choice(ROLES) for person in rng.sample(people, rng.randrange(4))},
    )


@functools.lru_cache(maxsize=256)
def _paths(form: PathForm, folders: tuple[str, ...]) -> Codebook[str]:
    return Codebook(form, folders, example="Ivory Tower", said="Ivory Tower")
