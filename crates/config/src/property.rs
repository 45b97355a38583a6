//! One row of the table: what a property is called, takes, does and how it may change.

/// A named setting of a broker, a topic or a group: the unit of the table.
///
/// Everything else (parsing, describing, the documentation page) is computed from these rows.
#[doc(alias = "ConfigKey")]
#[derive(Clone, Copy, Debug)]
pub struct Property {
    pub name: &'static str,
    pub kind: Kind,
    pub rule: Rule,
    /// In the text of a properties file. `None` is Kafka's `null`: not set, meaning in `doc`.
    pub default: Option<&'static str>,
    pub importance: Importance,
    pub update: UpdateMode,
    pub status: Status,
    /// One sentence in plain words.
    pub doc: &'static str,
}

/// The type of a property's value. Source: Kafka `ConfigDef.Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Boolean,
    Text,
    Int,
    Short,
    Long,
    Double,
    List,
    Class,
    /// Text that never leaves the process: described as null, logged as `[hidden]`.
    Password,
}

impl Kind {
    /// Kafka's name, as error messages and the documentation spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Boolean => "BOOLEAN",
            Kind::Text => "STRING",
            Kind::Int => "INT",
            Kind::Short => "SHORT",
            Kind::Long => "LONG",
            Kind::Double => "DOUBLE",
            Kind::List => "LIST",
            Kind::Class => "CLASS",
            Kind::Password => "PASSWORD",
        }
    }

    /// The number on the wire. Source: Kafka `DescribeConfigsResponse.ConfigType`.
    pub const fn wire_code(self) -> i8 {
        match self {
            Kind::Boolean => 1,
            Kind::Text => 2,
            Kind::Int => 3,
            Kind::Short => 4,
            Kind::Long => 5,
            Kind::Double => 6,
            Kind::List => 7,
            Kind::Class => 8,
            Kind::Password => 9,
        }
    }
}

/// What a value must satisfy beyond its type. Source: Kafka `ConfigDef.Validator`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    Any,
    AtLeast(i64),
    Between(i64, i64),
    /// Both ends belong.
    Fraction(f64, f64),
    OneOf(&'static [&'static str]),
    OneOfIgnoringCase(&'static [&'static str]),
    /// Every element of a list is one of these.
    EachOf(&'static [&'static str]),
    NotEmpty,
    /// 1 to 9, or -1 for the library's own default.
    GzipLevel,
    /// `*`, or `partition:broker` pairs.
    ThrottledReplicas,
    /// `latest`, `earliest` or `by_duration:` and an ISO-8601 duration.
    ShareOffsetReset,
}

/// How much a reader of the documentation should care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Importance {
    High,
    Medium,
    Low,
}

/// Whether and for whom a broker property may change while the broker runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateMode {
    ReadOnly,
    PerBroker,
    /// For the whole cluster, or for one broker.
    ClusterWide,
}

impl UpdateMode {
    pub const fn name(self) -> &'static str {
        match self {
            UpdateMode::ReadOnly => "read-only",
            UpdateMode::PerBroker => "per-broker",
            UpdateMode::ClusterWide => "cluster-wide",
        }
    }
}

/// What we do with a value that differs from the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It takes effect.
    Honoured,
    /// It is read, checked and has no effect; one warning gives this reason.
    Accepted(&'static str),
    /// The broker does not start, because ignoring it would be unsafe for this reason.
    Refused(&'static str),
}

impl Property {
    const fn new(name: &'static str, kind: Kind, default: Option<&'static str>) -> Property {
        Property {
            name,
            kind,
            rule: Rule::Any,
            default,
            importance: Importance::Medium,
            update: UpdateMode::ReadOnly,
            status: Status::Honoured,
            doc: "",
        }
    }

    pub const fn rule(self, rule: Rule) -> Property {
        Property { rule, ..self }
    }

    pub const fn at_least(self, least: i64) -> Property {
        self.rule(Rule::AtLeast(least))
    }

    pub const fn between(self, least: i64, most: i64) -> Property {
        self.rule(Rule::Between(least, most))
    }

    pub const fn one_of(self, names: &'static [&'static str]) -> Property {
        self.rule(Rule::OneOf(names))
    }

    pub const fn high(self) -> Property {
        Property { importance: Importance::High, ..self }
    }

    pub const fn low(self) -> Property {
        Property { importance: Importance::Low, ..self }
    }

    pub const fn per_broker(self) -> Property {
        Property { update: UpdateMode::PerBroker, ..self }
    }

    pub const fn cluster_wide(self) -> Property {
        Property { update: UpdateMode::ClusterWide, ..self }
    }

    pub const fn accepted(self, reason: &'static str) -> Property {
        Property { status: Status::Accepted(reason), ..self }
    }

    pub const fn refused(self, reason: &'static str) -> Property {
        Property { status: Status::Refused(reason), ..self }
    }

    pub const fn doc(self, doc: &'static str) -> Property {
        Property { doc, ..self }
    }

    /// Whether the value must not be shown.
    pub const fn is_sensitive(&self) -> bool {
        matches!(self.kind, Kind::Password)
    }
}

/// Makes the row builders: `int("a", "1")` has a default, `int_unset("b")` has none.
macro_rules! row_builders {
    ($($with:ident $unset:ident $kind:ident),+ $(,)?) => {
        $(
            pub(crate) const fn $with(name: &'static str, default: &'static str) -> Property {
                Property::new(name, Kind::$kind, Some(default))
            }

            #[allow(dead_code)] // not every type has a row without default
            pub(crate) const fn $unset(name: &'static str) -> Property {
                Property::new(name, Kind::$kind, None)
            }
        )+
    };
}

row_builders! {
    boolean boolean_unset Boolean,
    text text_unset Text,
    int int_unset Int,
    short short_unset Short,
    long long_unset Long,
    double double_unset Double,
    list list_unset List,
    class class_unset Class,
}

pub(crate) const fn password(name: &'static str) -> Property {
    Property::new(name, Kind::Password, None)
}
