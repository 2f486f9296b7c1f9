use super::Node;

/// A constant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Constant {
    Null,
    Bool(bool),
    Number(i64),
    Text(String),
    /// Of a type that is not looked into, with its number.
    Bytes(u32, Vec<u8>),
}

impl Constant {
    /// Reads a `CONST`. The bytes are a datum as the server holds it in memory: numbers in its own order of
    /// bytes, and before what varies in length a header of four bytes (src/include/varatt.h).
    pub(super) fn read(node: &Node) -> Self {
        if node.flag("constisnull") {
            return Self::Null;
        }
        let type_oid = node.number("consttype").unwrap_or(0);
        let bytes: &[u8] = node
            .list("constvalue")
            .iter()
            .find_map(|member| match member {
                Node::Bytes(bytes) => Some(bytes.as_slice()),
                Node::Null | Node::Atom(_) | Node::List(_) | Node::Struct(_) => None,
            })
            .unwrap_or_default();
        let number = || {
            let word: [u8; 8] = bytes.get(..8)?.try_into().ok()?;
            Some(i64::from_le_bytes(word))
        };
        match type_oid {
            16 => Self::Bool(bytes.iter().any(|byte| *byte != 0)),
            20 | 21 | 23 | 26 => number().map_or_else(
                || Self::Bytes(type_oid, bytes.to_owned()),
                |number| Self::Number(narrow(type_oid, number)),
            ),
            19 => {
                let end = bytes.iter().position(|byte| *byte == 0);
                let name = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
                Self::Text(String::from_utf8_lossy(name).into_owned())
            }
            25 | 114 | 705 | 1042 | 1043 => {
                Self::Text(String::from_utf8_lossy(bytes.get(4..).unwrap_or_default()).into_owned())
            }
            _ => Self::Bytes(type_oid, bytes.to_owned()),
        }
    }

    /// Whether no tenant has it for a key: nothing, zero, or the uuid of zeros.
    pub(crate) fn is_nobody(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Bool(_) => false,
            Self::Number(number) => *number <= 0,
            Self::Text(text) => is_nobody(text),
            Self::Bytes(type_oid, bytes) => {
                *type_oid == 2950 && bytes.iter().all(|byte| *byte == 0)
            }
        }
    }
}

/// Whether a text is one that no tenant has for a key: nothing, or what people write for nobody.
pub(crate) fn is_nobody(text: &str) -> bool {
    matches!(text, "-1" | "{}" | "off" | "false" | "no" | "none" | "null")
        || text.chars().all(|c| matches!(c, '0' | '-'))
}

/// A number of fewer than eight bytes fills its word with what the sign makes of it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the word's upper part is not the number's"
)]
fn narrow(type_oid: u32, number: i64) -> i64 {
    match type_oid {
        21 => i64::from(number as i16),
        23 => i64::from(number as i32),
        _ => number,
    }
}
