//! From PostgreSQL's trees to terms. The names of nodes are those of src/include/nodes/{primnodes,parsenodes}.h;
//! versions before 16 write some of them shorter, and 16 and 18 moved fields, so what is not there is no error.

use super::{
    Arm, Column, Compare, Constant, Node, Pick, Query, Source, Term,
    term::ROW,
    words::{self, is_pattern},
};
use crate::catalogue::{Catalogue, Oid, RelationKind};

/// What a number in a `VAR` stands for.
#[derive(Clone, Debug)]
enum Entry {
    Row {
        source: u32,
        relation: Oid,
    },
    /// The columns of a sub-select or a join: what each is.
    Terms(Vec<Term>),
    /// A function, whichever of its columns.
    Call(Term),
    Unknown,
}

/// The range table of one query.
#[derive(Clone, Debug, Default)]
struct Range {
    entries: Vec<Entry>,
    /// Its common table expressions.
    named: Vec<(String, Node)>,
}

/// Reads trees.
pub(super) struct Trees<'a> {
    catalogue: &'a Catalogue,
    ranges: Vec<Range>,
    next: u32,
    /// The views that are being read, from the outermost on.
    views: Vec<Oid>,
    /// Who reads the rows, if not the one who asks: the owner of a view.
    reader: Option<Oid>,
}

/// How deep views are followed.
const DEEPEST: usize = 8;

impl<'a> Trees<'a> {
    pub(super) fn new(catalogue: &'a Catalogue) -> Self {
        Self {
            catalogue,
            ranges: Vec::new(),
            next: ROW + 1,
            views: Vec::new(),
            reader: None,
        }
    }

    /// The query that stands for a view, with rows from a number on. `None` of anything else.
    pub(super) fn view_from(
        catalogue: &'a Catalogue,
        relation: Oid,
        next: &mut u32,
    ) -> Option<Query> {
        let mut trees = Self::new(catalogue);
        trees.next = *next;
        let query = trees.view(relation);
        *next = trees.next;
        query
    }

    /// An expression about one row of a relation: of a policy, a check.
    pub(super) fn expression(mut self, relation: Oid, tree: &Node) -> Term {
        self.ranges.push(Range {
            entries: vec![Entry::Row {
                source: ROW,
                relation,
            }],
            named: Vec::new(),
        });
        self.term(tree)
    }

    /// A query: of a view, of a function's body.
    pub(super) fn query_alone(mut self, tree: &Node) -> Query {
        self.query(tree)
    }

    fn terms(&mut self, nodes: &[Node]) -> Vec<Term> {
        nodes.iter().map(|node| self.term(node)).collect()
    }

    fn field(&mut self, node: &Node, field: &str) -> Term {
        node.get(field).map_or(Term::NULL, |node| self.term(node))
    }

    fn term(&mut self, node: &Node) -> Term {
        match node.tag() {
            "VAR" => self.variable(node),
            "CONST" => Term::Constant(Constant::read(node)),
            "PARAM" => {
                let number = node.number("paramid").unwrap_or(0);
                match node.word("paramkind") {
                    Some("0") => Term::Parameter(number),
                    Some("2") => Term::Output(number),
                    _ => Term::Other(Vec::new()),
                }
            }
            "BOOLEXPR" => {
                let mut members = self.terms(node.list("args"));
                match node.word("boolop") {
                    Some("and") => Term::And(members),
                    Some("or") => Term::Or(members),
                    _ => Term::Not(members.pop().unwrap_or(Term::NULL).boxed()),
                }
            }
            "NULLTEST" => {
                let test = Term::IsNull(self.field(node, "arg").boxed());
                if node.word("nulltesttype") == Some("0") {
                    test
                } else {
                    Term::Not(test.boxed())
                }
            }
            "BOOLEANTEST" => {
                let test = node.number::<u8>("booltesttype").unwrap_or(0);
                let truth = match test {
                    0 | 1 => Some(true),
                    2 | 3 => Some(false),
                    _ => None,
                };
                let term = Term::Is(self.field(node, "arg").boxed(), truth);
                if test.is_multiple_of(2) {
                    term
                } else {
                    Term::Not(term.boxed())
                }
            }
            "COALESCEEXPR" | "COALESCE" => Term::Coalesce(self.terms(node.list("args"))),
            "CASEEXPR" | "CASE" => self.case(node),
            "NULLIFEXPR" => {
                let mut members = self.terms(node.list("args")).into_iter();
                let one = members.next().unwrap_or(Term::NULL);
                Term::NullIf(one.boxed(), members.next().unwrap_or(Term::NULL).boxed())
            }
            "RELABELTYPE" | "COERCETODOMAIN" | "COLLATEEXPR" | "COLLATE" => Term::Cast {
                term: self.field(node, "arg").boxed(),
                exact: true,
            },
            "ARRAYCOERCEEXPR" => Term::Cast {
                term: self.field(node, "arg").boxed(),
                exact: true,
            },
            // By way of text, which is different for different values of all types that keys are made of;
            // but several texts are one number.
            "COERCEVIAIO" => {
                let from = node.get("arg").and_then(|arg| arg.number::<Oid>("vartype"));
                let from_text = matches!(from, Some(25 | 1042 | 1043));
                let to = node.number::<Oid>("resulttype");
                Term::Cast {
                    term: self.field(node, "arg").boxed(),
                    exact: !from_text || matches!(to, Some(25 | 1042 | 1043 | 2950)),
                }
            }
            "OPEXPR" => {
                let compare = self.compare(node);
                Term::Operator(compare, self.terms(node.list("args")))
            }
            "DISTINCTEXPR" => {
                let compare = self.compare(node);
                let mut members = self.terms(node.list("args")).into_iter();
                let one = members.next().unwrap_or(Term::NULL);
                Term::Distinct(
                    compare,
                    one.boxed(),
                    members.next().unwrap_or(Term::NULL).boxed(),
                )
            }
            "SCALARARRAYOPEXPR" => {
                let compare = self.compare(node);
                let mut members = self.terms(node.list("args")).into_iter();
                let item = members.next().unwrap_or(Term::NULL);
                Term::Any {
                    compare,
                    item: item.boxed(),
                    list: members.next().unwrap_or(Term::NULL).boxed(),
                    all: !node.flag("useOr"),
                }
            }
            "FUNCEXPR" => self.call(node),
            "AGGREF" => {
                let arguments: Vec<Node> = node.list("args").to_vec();
                let members = arguments
                    .iter()
                    .map(|argument| self.field(argument, "expr"))
                    .collect();
                let oid = node.number("aggfnoid").unwrap_or(0);
                self.named_call(oid, members)
            }
            "SQLVALUEFUNCTION" => match node.number::<u8>("op") {
                Some(9..=11) => Term::Session("current_user"),
                Some(12) => Term::Session("session_user"),
                _ => Term::Builtin("now".to_owned(), Vec::new()),
            },
            "ARRAYEXPR" | "ARRAY" => Term::Array(self.terms(node.list("elements"))),
            "NAMEDARGEXPR" => self.field(node, "arg"),
            "SUBLINK" => self.select(node),
            "TARGETENTRY" => self.field(node, "expr"),
            _ => self.other(node),
        }
    }

    fn variable(&self, node: &Node) -> Term {
        let found = (|| {
            let up: usize = node.number("varlevelsup")?;
            let range = self.ranges.get(self.ranges.len().checked_sub(up + 1)?)?;
            let entry: usize = node.number("varno")?;
            let number: i16 = node.number("varattno")?;
            match range.entries.get(entry.checked_sub(1)?)? {
                Entry::Row { source, relation } => Some(Term::Column(Column {
                    source: *source,
                    relation: *relation,
                    number,
                })),
                Entry::Terms(terms) => {
                    let at = usize::try_from(number).ok()?.checked_sub(1);
                    match at {
                        Some(at) => terms.get(at).cloned(),
                        None => Some(Term::Other(terms.clone())),
                    }
                }
                Entry::Call(term) => Some(term.clone()),
                Entry::Unknown => None,
            }
        })();
        found.unwrap_or(Term::Other(Vec::new()))
    }

    fn case(&mut self, node: &Node) -> Term {
        let subject = match node.get("arg") {
            None | Some(Node::Null) => None,
            Some(subject) => Some(self.term(subject)),
        };
        let arms = node
            .list("args")
            .iter()
            .map(|arm| {
                let condition = self.field(arm, "expr");
                // In a CASE with a subject each condition compares with what stands for it.
                let condition = match &subject {
                    Some(subject) => condition
                        .replaced(&|term| matches!(term, Term::Output(0)).then(|| subject.clone())),
                    None => condition,
                };
                (condition, self.field(arm, "result"))
            })
            .collect();
        Term::Case(arms, self.field(node, "defresult").boxed())
    }

    fn compare(&self, node: &Node) -> Compare {
        let operator = node
            .number::<Oid>("opno")
            .and_then(|oid| self.catalogue.operators.get(&oid));
        let collation: Option<Oid> = node.number("inputcollid");
        let by_collation =
            collation.is_some_and(|oid| self.catalogue.folding_collations.contains(&oid));
        operator.map_or_else(
            || Compare {
                name: "?".to_owned(),
                equality: false,
                folds: false,
                pattern: false,
            },
            |operator| Compare {
                name: operator.name.clone(),
                equality: operator.equality,
                folds: operator.folds_case || by_collation,
                pattern: is_pattern(&operator.name),
            },
        )
    }

    fn call(&mut self, node: &Node) -> Term {
        let oid: Oid = node.number("funcid").unwrap_or(0);
        let mut members = self.terms(node.list("args"));
        // 1 and 2: written as a cast, or put in by the parser.
        if matches!(node.word("funcformat"), Some("1" | "2")) && !members.is_empty() {
            let exact = self
                .catalogue
                .builtins
                .get(&oid)
                .is_some_and(|it| words::is_exact_cast(&it.name))
                && members.len() == 1;
            return Term::Cast {
                term: members.swap_remove(0).boxed(),
                exact,
            };
        }
        self.named_call(oid, members)
    }

    fn named_call(&self, oid: Oid, members: Vec<Term>) -> Term {
        match self.catalogue.builtins.get(&oid) {
            Some(builtin) => words::builtin(&builtin.name, members),
            None => Term::Call(oid, members),
        }
    }

    /// A node of which nothing is known but what it is made of.
    fn other(&mut self, node: &Node) -> Term {
        if node.tag() == "CASETESTEXPR" {
            return Term::Output(0);
        }
        if node.tag() == "QUERY" {
            return Term::Select(Pick::Other, self.query(node));
        }
        let members: Vec<&Node> = match node {
            Node::Struct(it) => it.values().collect(),
            Node::List(members) => members.iter().collect(),
            Node::Null | Node::Atom(_) | Node::Bytes(_) => Vec::new(),
        };
        Term::Other(
            members
                .into_iter()
                .filter(|member| matches!(member, Node::Struct(_) | Node::List(_)))
                .map(|member| self.term(member))
                .filter(|term| *term != Term::Other(Vec::new()))
                .collect(),
        )
    }

    fn select(&mut self, node: &Node) -> Term {
        let test = match node.get("testexpr") {
            None | Some(Node::Null) => None,
            Some(test) => Some(self.term(test)),
        };
        let query = node
            .get("subselect")
            .map(|query| self.query(query))
            .unwrap_or_default();
        let pick = match (node.number::<u8>("subLinkType"), test) {
            (Some(0), _) => Pick::Exists,
            (Some(2), Some(test)) => Pick::Any(test.boxed()),
            (Some(4), _) => Pick::Scalar,
            (Some(6), _) => Pick::List,
            _ => Pick::Other,
        };
        Term::Select(pick, query)
    }

    fn query(&mut self, node: &Node) -> Query {
        let named = node
            .list("cteList")
            .iter()
            .filter_map(|cte| {
                Some((
                    cte.word("ctename")?.to_owned(),
                    cte.get("ctequery")?.clone(),
                ))
            })
            .collect();
        self.ranges.push(Range {
            entries: Vec::new(),
            named,
        });
        let query = self.arms(node);
        self.ranges.pop();
        query
    }

    fn arms(&mut self, node: &Node) -> Query {
        // What each entry brings along: the rows and conditions of a sub-select in FROM.
        let mut brought: Vec<Option<Query>> = Vec::new();
        for entry in node.list("rtable") {
            let (entry, query) = self.entry(entry);
            brought.push(query);
            if let Some(range) = self.ranges.last_mut() {
                range.entries.push(entry);
            }
        }
        if !matches!(node.get("setOperations"), None | Some(Node::Null)) {
            return set_operation(brought);
        }
        let mut arm = Arm::default();
        if let Some(tree) = node.get("jointree") {
            self.from(tree, true, &mut brought, &mut arm);
        }
        arm.targets = node
            .list("targetList")
            .iter()
            .filter(|target| !target.flag("resjunk"))
            .map(|target| self.field(target, "expr"))
            .collect();
        for field in ["havingQual", "sortClause", "limitCount", "limitOffset"] {
            let besides = self.field(node, field);
            arm.besides.push(besides);
        }
        arm.besides
            .retain(|term| !matches!(term, Term::Constant(_) | Term::Other(_)));
        let having = !matches!(node.get("havingQual"), None | Some(Node::Null));
        arm.always_a_row = !node.list("groupingSets").is_empty()
            || (node.flag("hasAggs") || having) && node.list("groupClause").is_empty();
        Query { arms: vec![arm] }
    }

    /// The query of a view, whose rows are its owner's to read unless it is the invoker's. What a materialized view
    /// holds is no longer what it reads.
    fn view(&mut self, relation: Oid) -> Option<Query> {
        let relation = self.catalogue.relations.get(&relation)?;
        let view = relation.view.as_ref()?;
        // Before PostgreSQL 16 a view's query has entries for the view itself, which nothing refers to.
        let around = self.views.contains(&relation.oid) || self.views.len() >= DEEPEST;
        if relation.kind != RelationKind::View || around {
            return None;
        }
        let tree = if let Node::List(rules) = &view.tree {
            rules.last()?
        } else {
            &view.tree
        };
        let reader = if view.security_invoker {
            None
        } else {
            Some(relation.owner)
        };
        self.views.push(relation.oid);
        let ranges = std::mem::take(&mut self.ranges);
        let before = std::mem::replace(&mut self.reader, reader);
        let query = self.query(tree);
        self.reader = before;
        self.ranges = ranges;
        self.views.pop();
        Some(query)
    }

    /// Reads an entry of the range table, and the query that it stands for.
    fn entry(&mut self, node: &Node) -> (Entry, Option<Query>) {
        match node.number::<u8>("rtekind") {
            Some(0) => {
                let relation = node.number("relid").unwrap_or(0);
                if let Some(query) = self.view(relation) {
                    return (columns_of(&query), Some(query));
                }
                let source = self.next;
                self.next += 1;
                (
                    Entry::Row { source, relation },
                    Some(Query {
                        arms: vec![Arm {
                            sources: vec![Source {
                                number: source,
                                relation,
                                reader: self.reader,
                            }],
                            ..Arm::default()
                        }],
                    }),
                )
            }
            Some(1) => match node.get("subquery") {
                Some(query) => {
                    let query = self.query(query);
                    (columns_of(&query), Some(query))
                }
                None => (Entry::Unknown, None),
            },
            Some(2) => {
                let terms = self.terms(node.list("joinaliasvars"));
                (Entry::Terms(terms), None)
            }
            Some(3) => {
                let functions: Vec<Node> = node.list("functions").to_vec();
                let terms: Vec<Term> = functions
                    .iter()
                    .map(|function| self.field(function, "funcexpr"))
                    .collect();
                let arm = Arm {
                    besides: terms.clone(),
                    ..Arm::default()
                };
                let entry = match <[Term; 1]>::try_from(terms) {
                    Ok([only]) => Entry::Call(only),
                    Err(terms) => Entry::Terms(terms),
                };
                (entry, Some(Query { arms: vec![arm] }))
            }
            Some(6) => self.named_query(node),
            Some(9) => (Entry::Terms(self.terms(node.list("groupexprs"))), None),
            _ => {
                let besides = self.other(node);
                let arm = Arm {
                    besides: vec![besides],
                    ..Arm::default()
                };
                (Entry::Unknown, Some(Query { arms: vec![arm] }))
            }
        }
    }

    /// A common table expression. One that refers to itself is not followed.
    fn named_query(&mut self, node: &Node) -> (Entry, Option<Query>) {
        let up: usize = node.number("ctelevelsup").unwrap_or(0);
        let Some(depth) = self.ranges.len().checked_sub(up) else {
            return (Entry::Unknown, None);
        };
        let found = node.word("ctename").and_then(|name| {
            let range = self.ranges.get(depth.checked_sub(1)?)?;
            range
                .named
                .iter()
                .find_map(|(own, query)| (own == name).then(|| query.clone()))
        });
        let (Some(query), false) = (found, node.flag("self_reference")) else {
            return (Entry::Unknown, None);
        };
        let inner = self.ranges.split_off(depth);
        let query = self.query(&query);
        self.ranges.extend(inner);
        (columns_of(&query), Some(query))
    }

    /// Walks the join tree. Only what is joined by inner joins all the way up holds for every row.
    fn from(&mut self, node: &Node, certain: bool, brought: &mut [Option<Query>], arm: &mut Arm) {
        match node.tag() {
            "FROMEXPR" => {
                for member in node.list("fromlist") {
                    self.from(member, certain, brought, arm);
                }
                self.holds(node, certain, arm);
            }
            "JOINEXPR" => {
                let (left, right) = match node.number::<u8>("jointype") {
                    Some(0) => (certain, certain),
                    Some(1) => (certain, false),
                    Some(3) => (false, certain),
                    _ => (false, false),
                };
                for (side, certain) in [("larg", left), ("rarg", right)] {
                    if let Some(side) = node.get(side) {
                        self.from(side, certain, brought, arm);
                    }
                }
                self.holds(node, left && right, arm);
            }
            "RANGETBLREF" => {
                let query = node
                    .number::<usize>("rtindex")
                    .and_then(|at| brought.get_mut(at.checked_sub(1)?)?.take());
                let Some(mut query) = query else { return };
                match (query.arms.pop(), query.arms.is_empty()) {
                    (Some(only), true) => {
                        arm.sources.extend(only.sources);
                        arm.besides.extend(only.besides);
                        arm.besides.extend(only.targets);
                        if certain {
                            arm.conditions.extend(only.conditions);
                        } else {
                            arm.besides.extend(only.conditions);
                        }
                    }
                    (Some(last), false) => {
                        query.arms.push(last);
                        arm.besides.push(Term::Select(Pick::Other, query));
                    }
                    (None, _) => {}
                }
            }
            _ => {}
        }
    }

    fn holds(&mut self, node: &Node, certain: bool, arm: &mut Arm) {
        let condition = match node.get("quals") {
            None | Some(Node::Null) => return,
            Some(quals) => self.term(quals),
        };
        if certain {
            arm.conditions.push(condition);
        } else {
            arm.besides.push(condition);
        }
    }
}

/// `UNION` is alternatives; so, seen from above, are `INTERSECT` and `EXCEPT`.
fn set_operation(brought: Vec<Option<Query>>) -> Query {
    Query {
        arms: brought
            .into_iter()
            .flatten()
            .flat_map(|query| query.arms)
            .collect(),
    }
}

/// What the columns of a query are, where it is one SELECT.
fn columns_of(query: &Query) -> Entry {
    match query.arms.as_slice() {
        [only] => Entry::Terms(only.targets.clone()),
        arms => {
            let width = arms.iter().map(|arm| arm.targets.len()).max().unwrap_or(0);
            Entry::Terms(
                (0..width)
                    .map(|at| {
                        Term::Other(
                            arms.iter()
                                .filter_map(|arm| arm.targets.get(at).cloned())
                                .collect(),
                        )
                    })
                    .collect(),
            )
        }
    }
}
