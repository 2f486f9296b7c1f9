//! Why a value could not be sent or read.

/// A value that cannot make the crossing. Never a denial, and never something to retry.
///
/// No message contains the value itself: it may be a tenant's data, and messages end in logs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// A parameter that cannot be sent. Nothing has reached the server.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// A column that cannot be read into its field.
    #[error(transparent)]
    Column(#[from] ColumnError),
    /// A row that does not belong to the statement the plan was made for.
    #[error("the row has {found} columns where its statement has {planned}: prepare it again")]
    Row {
        /// The number of columns of the row.
        found: usize,
        /// The number of columns of the plan.
        planned: usize,
    },
}

/// Which of its few causes a [`ValueError`] has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueErrorKind {
    /// The types do not fit, whatever the value.
    Mismatch,
    /// SeaORM has no variant for the PostgreSQL type, or PostgreSQL no type for the variant.
    Unsupported,
    /// The types fit but this value does not.
    Unfit,
    /// The server sent bytes that are not of the type it declared.
    Malformed,
}

impl ValueError {
    /// The cause, for a caller that must choose between them.
    #[must_use]
    pub fn kind(&self) -> ValueErrorKind {
        match self {
            Self::Parameter(error) => error.fault.kind(),
            Self::Column(error) => error.fault.kind(),
            Self::Row { .. } => ValueErrorKind::Mismatch,
        }
    }

    /// The parameter at this index, which counts from zero: the message says `$1` for it.
    pub(super) fn parameter(index: Option<usize>, fault: Fault) -> Self {
        Self::Parameter(ParameterError {
            position: index.map(|index| index + 1),
            fault,
        })
    }

    /// The column of this name and PostgreSQL type.
    pub(super) fn column(name: &str, type_name: &str, fault: Fault) -> Self {
        Self::Column(ColumnError {
            name: name.to_owned(),
            type_name: type_name.to_owned(),
            fault,
        })
    }
}

/// A parameter that cannot be sent.
#[derive(Debug, thiserror::Error)]
#[error("{} {fault}", named(*.position))]
pub struct ParameterError {
    position: Option<usize>,
    fault: Fault,
}

fn named(position: Option<usize>) -> String {
    position.map_or_else(
        || "a parameter".to_owned(),
        |position| format!("parameter `${position}`"),
    )
}

/// A column that cannot be read into its field.
#[derive(Debug, thiserror::Error)]
#[error("column `{name}` has type `{type_name}`{}", .fault.about_column())]
pub struct ColumnError {
    name: String,
    type_name: String,
    fault: Fault,
}

/// What is wrong with one value or one pair of types. Each message continues a sentence whose
/// subject is the parameter or the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// The number has no place in the target's range.
    #[error("is outside the range of {0}")]
    Range(&'static str),
    /// More digits behind the point than the target has.
    #[error("has more digits than {0} holds: round it, or use a decimal of any size")]
    Digits(&'static str),
    /// A number that is none.
    #[error("is not a finite number, which a decimal cannot express")]
    NotFinite,
    /// `infinity` or `-infinity` in a date or timestamp.
    #[error(
        "is infinite, which no date or timestamp here can express: use a null, or cast to text"
    )]
    Infinite,
    /// `24:00:00`, or a leap second.
    #[error("is a time of day past 23:59:59.999999, which the other side cannot express")]
    EndOfDay,
    /// A NUL character in text or JSON.
    #[error(
        "contains a NUL character, which PostgreSQL cannot store in text: remove it, or store bytes"
    )]
    Nul,
    /// Text of another length than one.
    #[error("is not exactly one character")]
    NotOneCharacter,
    /// An array whose elements are not what its type says.
    #[error("is an array with an element of another type than the array's")]
    Mixed,
    /// An array in an array.
    #[error("is an array of several dimensions, which SeaORM cannot carry: use a flat array")]
    Dimensions,
    /// A NULL in an array whose field has no place for one.
    #[error(
        "is an array with a NULL element, which its field cannot hold: use `array_remove`, or a `Vec` of `Option`"
    )]
    NullElement,
    /// A length or count that does not fit the protocol.
    #[error("is larger than the protocol can carry")]
    Size,
    /// A variant that this room does not know.
    #[error("is of a kind that has no PostgreSQL type here")]
    Foreign,
    /// A parameter for which the statement was prepared with an unrelated type.
    #[error(
        "holds {0}, which cannot be sent as the type that the server expects: cast the placeholder"
    )]
    Unsendable(&'static str),
    /// A column of a type without variant.
    #[error("is of a type which SeaORM cannot carry: cast it to text")]
    NoVariant,
    /// A column whose field is of another family.
    #[error("does not fit its field, which holds {}{what}: change the field's type, or cast the column", array_of(*.array))]
    Field {
        /// What the field holds, or each of its elements.
        what: &'static str,
        /// Whether it holds an array.
        array: bool,
    },
    /// Bytes that are not of the declared type.
    #[error("could not be decoded: the bytes are not of that type")]
    Malformed,
    /// JSON that is valid for PostgreSQL but not for the parser: nested too deeply.
    #[error(
        "is JSON that is nested too deeply, or holds a number too large to parse: cast it to text"
    )]
    Json,
}

impl Fault {
    fn kind(self) -> ValueErrorKind {
        match self {
            Self::Range(_)
            | Self::Digits(_)
            | Self::NotFinite
            | Self::Infinite
            | Self::EndOfDay
            | Self::Nul
            | Self::NotOneCharacter
            | Self::Dimensions
            | Self::NullElement
            | Self::Size
            | Self::Json => ValueErrorKind::Unfit,
            Self::Mixed | Self::Unsendable(_) | Self::Field { .. } => ValueErrorKind::Mismatch,
            Self::Foreign | Self::NoVariant => ValueErrorKind::Unsupported,
            Self::Malformed => ValueErrorKind::Malformed,
        }
    }

    /// The same message as the rest of «column … has type …».
    fn about_column(self) -> String {
        match self {
            Self::NoVariant => ", which SeaORM cannot carry: cast it to text".to_owned(),
            Self::Field { what, array } => format!(
                ", but its field holds {}{what}: change the field's type, or cast the column",
                array_of(array)
            ),
            Self::Foreign => ", but its field is of a kind that is not supported here".to_owned(),
            Self::Range(_)
            | Self::Digits(_)
            | Self::NotFinite
            | Self::Infinite
            | Self::EndOfDay
            | Self::Nul
            | Self::NotOneCharacter
            | Self::Mixed
            | Self::Dimensions
            | Self::NullElement
            | Self::Size
            | Self::Unsendable(_)
            | Self::Malformed
            | Self::Json => format!(" and a value that {self}"),
        }
    }
}

/// The words before an element's description.
fn array_of(array: bool) -> &'static str {
    if array {
        "an array, each element being "
    } else {
        ""
    }
}
