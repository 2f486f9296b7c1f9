//! The text of a `pg_node_tree`: what PostgreSQL keeps of an expression once it is parsed and its names
//! are resolved. `nodeToString` (src/backend/nodes/outfuncs.c) writes it, `pg_strtok` (read.c) reads it.

use std::fmt;

/// A node of a tree.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Node {
    /// `<>`: nothing.
    Null,
    /// A number, a word or a string, as written.
    Atom(String),
    /// `(…)`, or the several values of one field.
    List(Vec<Self>),
    /// `[…]`: the bytes of a constant.
    Bytes(Vec<u8>),
    /// `{TAG :field value …}`.
    Struct(Struct),
}

/// A node with fields.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Struct {
    tag: String,
    fields: Vec<(String, Node)>,
}

impl Struct {
    /// What its fields hold.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Node> {
        self.fields.iter().map(|(_, value)| value)
    }
}

/// The text is no tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a node tree at byte {at}")]
pub(crate) struct NotATree {
    at: usize,
}

/// How deep a tree may be. PostgreSQL's own limit (`max_stack_depth`) is far lower for what it parses.
const DEEPEST: usize = 2_000;

impl Node {
    /// Reads the text of a `pg_node_tree`.
    pub(crate) fn read(text: &str) -> Result<Self, NotATree> {
        let mut reader = Reader {
            text,
            at: 0,
            depth: 0,
        };
        let node = reader.value()?;
        if reader.token().is_some() {
            return Err(NotATree { at: reader.at });
        }
        Ok(node)
    }

    /// `OPEXPR`, `VAR` …; empty for what is no struct.
    pub(crate) fn tag(&self) -> &str {
        match self {
            Self::Struct(it) => &it.tag,
            Self::Null | Self::Atom(_) | Self::List(_) | Self::Bytes(_) => "",
        }
    }

    /// A field of a struct.
    pub(crate) fn get(&self, field: &str) -> Option<&Self> {
        let Self::Struct(it) = self else { return None };
        it.fields
            .iter()
            .find_map(|(name, value)| (name == field).then_some(value))
    }

    /// A field that is a word or a number, as written.
    pub(crate) fn word(&self, field: &str) -> Option<&str> {
        match self.get(field)? {
            Self::Atom(text) => Some(text),
            Self::Null | Self::List(_) | Self::Bytes(_) | Self::Struct(_) => None,
        }
    }

    /// A field that is a number.
    pub(crate) fn number<T: std::str::FromStr>(&self, field: &str) -> Option<T> {
        self.word(field)?.parse().ok()
    }

    /// Whether a field says `true`.
    pub(crate) fn flag(&self, field: &str) -> bool {
        self.word(field) == Some("true")
    }

    /// The members of a field that is a list; of any other, itself; of `<>`, none.
    pub(crate) fn list(&self, field: &str) -> &[Self] {
        match self.get(field) {
            None | Some(Self::Null) => &[],
            Some(Self::List(members)) => members,
            Some(other) => std::slice::from_ref(other),
        }
    }

    /// The nodes directly below.
    pub(crate) fn children(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        match self {
            Self::Struct(it) => Box::new(it.fields.iter().map(|(_, value)| value)),
            Self::List(members) => Box::new(members.iter()),
            Self::Null | Self::Atom(_) | Self::Bytes(_) => Box::new(std::iter::empty()),
        }
    }

    /// Calls `see` for this node and all below it, from the top down.
    pub(crate) fn walk<'a>(&'a self, see: &mut impl FnMut(&'a Self)) {
        see(self);
        match self {
            Self::Struct(it) => it.fields.iter().for_each(|(_, value)| value.walk(see)),
            Self::List(members) => members.iter().for_each(|member| member.walk(see)),
            Self::Null | Self::Atom(_) | Self::Bytes(_) => {}
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// The next token, as `pg_strtok` cuts them: white space and brackets part them, a backslash makes the
    /// next character an ordinary one.
    fn token(&mut self) -> Option<&'a str> {
        let rest = self.text.get(self.at..)?;
        let start = self.at + rest.find(|c: char| !matches!(c, ' ' | '\n' | '\t'))?;
        let rest = self.text.get(start..)?;
        let first = rest.chars().next()?;
        let length = if matches!(first, '(' | ')' | '{' | '}') {
            1
        } else {
            let mut escaped = false;
            rest.find(|c: char| {
                let ends = !escaped && matches!(c, ' ' | '\n' | '\t' | '(' | ')' | '{' | '}');
                escaped = !escaped && c == '\\';
                ends
            })
            .unwrap_or(rest.len())
        };
        self.at = start + length;
        self.text.get(start..self.at)
    }

    fn peek(&mut self) -> Option<&'a str> {
        let at = self.at;
        let token = self.token();
        self.at = at;
        token
    }

    fn lost<T>(&self) -> Result<T, NotATree> {
        Err(NotATree { at: self.at })
    }

    fn value(&mut self) -> Result<Node, NotATree> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.lost();
        }
        let node = match self.token() {
            None | Some(")" | "}") => return self.lost(),
            Some("{") => self.fields()?,
            Some("(") => Node::List(self.until(")")?),
            Some("[") => self.bytes()?,
            Some("<>") => Node::Null,
            Some(word) => Node::Atom(unescape(word)),
        };
        self.depth -= 1;
        Ok(node)
    }

    fn until(&mut self, end: &str) -> Result<Vec<Node>, NotATree> {
        let mut members = Vec::new();
        while self.peek() != Some(end) {
            members.push(self.value()?);
        }
        self.token();
        Ok(members)
    }

    /// The bytes of a constant: signed numbers up to `]`.
    fn bytes(&mut self) -> Result<Node, NotATree> {
        let mut bytes = Vec::new();
        loop {
            match self.token() {
                None => return self.lost(),
                Some("]") => return Ok(Node::Bytes(bytes)),
                Some(number) => match number.parse::<i16>() {
                    Ok(number) => bytes.push(number.to_le_bytes()[0]),
                    Err(_) => return self.lost(),
                },
            }
        }
    }

    fn fields(&mut self) -> Result<Node, NotATree> {
        let Some(tag) = self.token() else {
            return self.lost();
        };
        let mut fields = Vec::new();
        loop {
            match self.token() {
                Some("}") => {
                    let tag = tag.to_owned();
                    return Ok(Node::Struct(Struct { tag, fields }));
                }
                Some(token) => {
                    let Some(name) = token.strip_prefix(':') else {
                        return self.lost();
                    };
                    let mut values = Vec::new();
                    while self
                        .peek()
                        .is_some_and(|next| next != "}" && !next.starts_with(':'))
                    {
                        values.push(self.value()?);
                    }
                    let value = if values.len() == 1 {
                        values.pop().unwrap_or(Node::Null)
                    } else {
                        Node::List(values)
                    };
                    fields.push((name.to_owned(), value));
                }
                None => return self.lost(),
            }
        }
    }
}

/// Takes the quotes and the backslashes away.
fn unescape(word: &str) -> String {
    let inside = word
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(word);
    let mut text = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        text.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    text
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("<>"),
            Self::Atom(text) => write!(f, "{text:?}"),
            Self::List(members) => f.debug_list().entries(members).finish(),
            Self::Bytes(bytes) => write!(f, "{bytes:?}"),
            Self::Struct(it) => {
                let mut out = f.debug_struct(&it.tag);
                for (name, value) in &it.fields {
                    out.field(name, value);
                }
                out.finish()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read() {
        let text = "{OPEXPR :opno 2972 :args ({VAR :varno 1 :varattno 2} {CONST :constisnull false \
                    :constvalue 2 [ 65 -1 ]}) :alias <> :name \"a\\ b\\)\" :cols (i 1 2)}";
        let node = Node::read(text).unwrap();
        assert_eq!(node.tag(), "OPEXPR");
        assert_eq!(node.number::<u32>("opno"), Some(2972));
        assert_eq!(node.list("args")[0].number::<i16>("varattno"), Some(2));
        assert_eq!(
            node.list("args")[1].get("constvalue").unwrap(),
            &Node::List(vec![Node::Atom("2".to_owned()), Node::Bytes(vec![65, 255])])
        );
        assert_eq!(node.get("alias"), Some(&Node::Null));
        assert_eq!(node.word("name"), Some("a b)"));
        let mut seen = 0;
        node.walk(&mut |_| seen += 1);
        assert!(seen > 8);
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        for text in [
            "",
            "{",
            "{A",
            "{A b}",
            "(",
            ")",
            "{A :b [ x ]}",
            "{A :b 1} {B}",
        ] {
            assert!(Node::read(text).is_err(), "{text}");
        }
        assert!(Node::read(&"(".repeat(100_000)).is_err());
    }
}
