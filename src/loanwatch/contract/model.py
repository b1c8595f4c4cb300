"""The typed model of a contract file.

A contract says everything that is particular to one lender: columns, units, valid ranges, sentinels, spellings, the
label, the keys, the extraction query and the thresholds. The rest of loanwatch names no column.
"""

from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from loanwatch.contract.constraints import Exact, Number, Text
from loanwatch.records import record

__all__ = [
    "Audit",
    "CalendarPart",
    "Column",
    "Contract",
    "Encoding",
    "Engineered",
    "Keys",
    "Kind",
    "Label",
    "Policy",
    "Preprocessing",
    "Reason",
    "Table",
    "TimeColumn",
    "Training",
]

Identifier = Annotated[str, Text(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]
Word = Annotated[str, Text(strip_whitespace=True, to_lower=True)]
"""A value as cleaning leaves it."""
Flag = Annotated[bool, Exact()]
Finite = Annotated[float, Number(allow_inf_nan=False)]
Share = Annotated[float, Number(ge=0, le=1)]


class _Section:
    """A part of the file; `contract.loader` lets pydantic read it, keys that it does not know being mistakes."""

    __pydantic_config__: ClassVar[Mapping[str, str]] = {"extra": "forbid"}


class Kind(StrEnum):
    """How the values of a column are read."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    ID = "id"
    TEXT = "text"
    TIME = "time"


class Encoding(StrEnum):
    """How a categorical column becomes numbers.

    `ordinal`: position in `order`. `frequency_share`: share of training rows with the category. `rank`: rank of that
    share, 1 for the rarest. `relative`: that share over the largest share. `one_hot`: one 0/1 column per category.
    """

    ORDINAL = "ordinal"
    FREQUENCY_SHARE = "frequency_share"
    RANK = "rank"
    RELATIVE = "relative"
    ONE_HOT = "one_hot"


class CalendarPart(StrEnum):
    """The part of the application time that an engineered column holds."""

    YEAR = "year"
    MONTH = "month"
    WEEK = "week"
    DAY = "day"
    SEASON = "season"


@record
class Keys(_Section):
    """The columns that identify a row."""

    application: Identifier
    """One value an application; online requests must carry it."""
    applicant: Identifier | None = None
    """Whose application it is; joins the tables."""


@record
class TimeColumn(_Section):
    """When the application was made."""

    column: Identifier
    formats: tuple[str, ...] = ("%Y-%m-%d %H:%M:%S",)
    """strptime formats, tried in order, where the source holds text."""


@record
class Label(_Section):
    """What the model predicts."""

    column: Identifier
    positive: Word
    negative: Word
    delay_days: Annotated[int, Number(ge=0)] = 0
    """Days after the application until the label is known; younger labels are never judged."""


@record
class Reason(_Section):
    """How a column is named to an applicant, where it counted against the application."""

    code: Annotated[str, Text(pattern=r"^[A-Z0-9_-]{1,64}$")]
    """Never changes, so that letters, statistics and appeals agree."""
    sentence: str
    missing: str | None = None
    """Said instead where the value was not given or could not be used."""


def _default_reason(name: str, label: str) -> Reason:
    title = label[:1].upper() + label[1:]
    return Reason(code=name.upper(), sentence=title, missing=f"{title} not given or not usable")


@record
class _Described(_Section):
    name: Identifier
    title: str | None = None
    """What a risk officer calls the column; by default its name with spaces."""
    predictor: Flag = False
    monitored: Flag | None = None
    """Watched for drift; by default exactly the predictors are."""
    reason: Reason | None = None
    """Told to an applicant; by default the column's name as the code and its title as the sentence."""

    @property
    def is_monitored(self) -> bool:
        """Whether the column is watched for drift."""
        return self.predictor if self.monitored is None else self.monitored

    @property
    def label(self) -> str:
        """What a person calls the column."""
        return self.title or self.name.replace("_", " ")

    @property
    def told_reason(self) -> Reason:
        """The reason as it is told: the contract's, or one made from the name."""
        return self.reason or _default_reason(self.name, self.label)


@record
class Column(_Described):
    """One column of the source."""

    table: Identifier
    kind: Kind
    unit: str | None = None
    stored_as: Literal["text", "double precision", "numeric", "integer"] | None = None
    """The SQL type that `load` and `simulate` give the column; by default it follows from the kind."""
    minimum: Finite | None = None
    maximum: Finite | None = None
    sentinels: tuple[Finite, ...] = ()
    """Numbers that mean "not known"."""
    tenfold: Flag = False
    """Values in [10 × minimum, 10 × maximum] were recorded ten times too large and are divided by ten."""
    spellings: Mapping[str, str] = field(default_factory=dict)
    """Lower-case spelling found → spelling meant."""
    order: tuple[str, ...] = ()
    """The categories from lowest to highest, for the ordinal encoding."""
    encoding: Encoding | None = None
    example: str | float | None = None
    """What the documentation of the predictor shows as a request."""

    def __post_init__(self) -> None:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"column {self.name}: minimum {self.minimum} is above maximum {self.maximum}")
        if self.tenfold and (self.minimum is None or self.maximum is None):
            raise ValueError(f"column {self.name}: tenfold needs minimum and maximum")
        if self.kind is not Kind.NUMERIC and (self.sentinels or self.tenfold or self.minimum is not None):
            raise ValueError(f"column {self.name}: sentinels, tenfold and ranges are for numeric columns")
        if self.kind is not Kind.CATEGORICAL and (self.order or self.encoding or self.spellings):
            raise ValueError(f"column {self.name}: order, encoding and spellings are for categorical columns")
        if self.predictor and self.kind not in (Kind.NUMERIC, Kind.CATEGORICAL):
            raise ValueError(f"column {self.name}: a predictor is numeric or categorical, not {self.kind}")
        if self.encoding is Encoding.ORDINAL and not self.order:
            raise ValueError(f"column {self.name}: the ordinal encoding needs order = [lowest, …, highest]")
        if len(set(self.order)) != len(self.order):
            raise ValueError(f"column {self.name}: order names a category twice")


@record
class Engineered(_Described):
    """A column computed from others."""

    kind: Literal["ratio", "difference", "product", "calendar"]
    sources: tuple[Identifier, ...]
    """Two columns (ratio: numerator, denominator), or the time column for a calendar part."""
    part: CalendarPart | None = None

    def __post_init__(self) -> None:
        wanted = 1 if self.kind == "calendar" else 2
        if len(self.sources) != wanted:
            raise ValueError(f"engineered {self.name}: {self.kind} needs {wanted} sources, got {len(self.sources)}")
        if (self.kind == "calendar") != (self.part is not None):
            raise ValueError(f"engineered {self.name}: part is for calendar columns, and they need one")


@record
class Audit(_Section):
    """A column of counts that the extraction query adds for the data-quality check."""

    column: Identifier
    table: Identifier
    meaning: Literal["duplicate_rows", "superseded_rows", "records"]
    """`duplicate_rows`: exact copies collapsed into this row; `superseded_rows`: older versions of this application;
    `records`: different records found for the applicant (0 none, 1 one, more: contradicting, taken as missing)."""


@record
class Table(_Section):
    """A source table."""

    name: Identifier
    key: Annotated[tuple[Identifier, ...], Number(min_length=1)]
    """The columns that identify what a row speaks of. They need not be unique: sources repeat themselves."""


@record
class Preprocessing(_Section):
    """How columns become model inputs."""

    imputation: Literal["mode_mean", "mode_median"] = "mode_mean"
    rescaling: Literal["standardise", "min_max", "none"] = "standardise"


@record
class Training(_Section):
    """How a model is trained and chosen."""

    split: Literal["time", "random"] = "time"
    test_share: Annotated[float, Number(gt=0, lt=1)] = 0.3
    candidates: tuple[Literal["random_forest", "gradient_boosting"], ...] = (
        "random_forest",
        "gradient_boosting",
    )
    parameters: Mapping[str, Mapping[str, float | int | str | bool | None]] = field(default_factory=dict)
    """Candidate name → estimator parameters that override the defaults."""
    history_days: Annotated[int, Number(ge=0)] = 0
    """Days before the window that training may also use; never across a dated change of the relation."""
    minimum_rows: Annotated[int, Number(ge=50)] = 500
    """Fewer labelled rows than this train no model."""
    random_seed: int = 0


@record
class Policy(_Section):
    """When to halt, retrain and deploy."""

    retrain_on: Literal["evidence", "any_drift"] = "evidence"
    leakage: Literal["halt", "exclude", "warn"] = "halt"
    minimum_auc: Share = 0.7
    maximum_degradation: Share = 0.1
    """Train AUC minus test AUC above this disqualifies a model."""
    maximum_model_age_days: Annotated[int, Number(gt=0)] = 365
    material_auc_loss: Share = 0.03
    """AUC lost against the deployed model's own hold-out that counts as materially worse."""


@record
class Contract(_Section):
    """What one lender's applications look like.

    `load_contract` and `parse_contract` check values and take words as cleaning leaves them; built in Python it is what
    it was given.
    """

    name: Identifier
    title: str
    extract_sql: str
    """The query's file, beside the contract; `load_contract` puts the text in `extract_query`."""
    extract_query: str = ""
    keys: Keys
    time: TimeColumn
    label: Label
    tables: tuple[Table, ...]
    columns: tuple[Column, ...]
    engineered: tuple[Engineered, ...] = ()
    audit: tuple[Audit, ...] = ()
    preprocessing: Preprocessing = Preprocessing()
    training: Training = Training()
    policy: Policy = Policy()

    def check(self) -> None:
        """Hold the sections against each other.

        Raises
        ------
        ValueError
            With the first thing in which two of them do not agree.
        """
        self._check_names()
        self._check_uses()

    def _check_names(self) -> None:
        names = [*self.column_names, *(e.name for e in self.engineered), *(a.column for a in self.audit)]
        if twice := sorted({n for n in names if names.count(n) > 1}):
            raise ValueError(f"column {twice[0]} is described twice")
        for role, name in self._roles():
            if name not in self.column_names:
                raise ValueError(f"{role} names {name}, which is not among the columns")
        tables = {t.name for t in self.tables}
        owners = [(c.name, c.table) for c in self.columns] + [(a.column, a.table) for a in self.audit]
        for name, table in owners:
            if table not in tables:
                raise ValueError(f"column {name} names table {table}; the tables are {', '.join(sorted(tables))}")

    def _check_uses(self) -> None:
        if not self.predictors:
            raise ValueError("no column has predictor = true: give it to the columns that the model shall learn from")
        if not self.monitored:
            raise ValueError(
                "no column is watched for drift: take monitored = false from at least one predictor, or give another "
                "column monitored = true"
            )
        codes = [c.told_reason.code for c in self.predictors]
        if same := sorted({code for code in codes if codes.count(code) > 1}):
            raise ValueError(f"reason code {same[0]} belongs to two predictors")
        if self.label.positive == self.label.negative:
            raise ValueError(f"label: positive and negative are both {self.label.positive!r}")
        if self.column(self.label.column).predictor:
            raise ValueError(f"label: {self.label.column} cannot also be a predictor")

    def _roles(self) -> Iterator[tuple[str, str]]:
        yield "keys.application", self.keys.application
        if self.keys.applicant:
            yield "keys.applicant", self.keys.applicant
        yield "time.column", self.time.column
        yield "label.column", self.label.column
        for engineered in self.engineered:
            for source in engineered.sources:
                yield f"engineered {engineered.name}", source
        for table in self.tables:
            for key in table.key:
                yield f"table {table.name}: key", key

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the source columns, in the order of the file."""
        return tuple(c.name for c in self.columns)

    @property
    def described(self) -> tuple[Column | Engineered, ...]:
        """Source columns, then engineered ones."""
        return (*self.columns, *self.engineered)

    @property
    def predictors(self) -> tuple[Column | Engineered, ...]:
        """The columns that the model sees, in the order of the file, engineered ones last."""
        return tuple(c for c in self.described if c.predictor)

    @property
    def monitored(self) -> tuple[Column | Engineered, ...]:
        """The columns that are watched for drift."""
        return tuple(c for c in self.described if c.is_monitored)

    def column(self, name: str) -> Column:
        """Return the source column of this name.

        Raises
        ------
        KeyError
            If the contract has no such source column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def kind_of(self, name: str) -> Kind:
        """Return the kind of a source or engineered column; every engineered column is numeric."""
        if any(e.name == name for e in self.engineered):
            return Kind.NUMERIC
        return self.column(name).kind

    def label_of(self, name: str) -> str:
        """Return what a person calls a source or engineered column; other names come back with spaces."""
        for column in self.described:
            if column.name == name:
                return column.label
        return name.replace("_", " ")
