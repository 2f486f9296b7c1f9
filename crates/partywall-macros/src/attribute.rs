use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, ExprPath, Ident, LitStr, Meta, Token, meta::ParseNestedMeta, spanned::Spanned,
};

use crate::suggest;

/// What a model is told to write when it declares nothing.
pub(crate) const DECLARE: &str = "add `#[scoped(tenant = \"tenant_id\")]`, \
     `#[scoped(tenant = \"parent.tenant_id\")]` or `#[scoped(global)]`";

const FLAGS: [&str; 4] = ["global", "exists", "append_only", "read_only"];
/// Functions of the schema `partywall` in the database, where each dimension has one of its name.
const FUNCTIONS: [&str; 5] = ["enter", "narrow", "context", "cross", "seal_keys"];
/// How the names of further functions there begin: those of people and accounts.
const FUNCTION_PREFIX: &str = "identity_";
/// How the function that reads a dimension's list is named after the dimension.
const LIST_SUFFIX: &str = "_list";
const WORDS: [&str; 2] = ["all", "any"];
const LONGEST: usize = 40;

/// Everything that the `#[scoped(...)]` attributes of a model say, free of contradictions.
#[derive(Default)]
pub(crate) struct Declaration {
    pub(crate) global: Option<Ident>,
    pub(crate) exists: Option<Ident>,
    pub(crate) append_only: Option<Ident>,
    pub(crate) read_only: Option<Ident>,
    pub(crate) base: Option<ExprPath>,
    pub(crate) dimensions: Vec<Dimension>,
}

/// `name = "source"`.
pub(crate) struct Dimension {
    pub(crate) name: Ident,
    pub(crate) source: LitStr,
}

impl Dimension {
    /// Whether the source is a path and not a column of the model.
    pub(crate) fn is_path(&self) -> bool {
        self.source.value().contains('.')
    }
}

impl Declaration {
    /// Reads the attributes of `model`.
    pub(crate) fn read(model: &Ident, attributes: &[Attribute]) -> syn::Result<Self> {
        let mut declaration = Self::default();
        for attribute in attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("scoped"))
        {
            check_list(&attribute.meta)?;
            attribute.parse_nested_meta(|meta| declaration.entry(&meta))?;
        }
        declaration.check(model)?;
        Ok(declaration)
    }

    fn entry(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let Some(key) = meta.path.get_ident() else {
            return Err(error(
                &meta.path,
                "an entry is one word, a dimension or a flag: drop the path before it",
            ));
        };
        match key.to_string().as_str() {
            "global" => flag(&mut self.global, key, meta),
            "exists" => flag(&mut self.exists, key, meta),
            "append_only" => flag(&mut self.append_only, key, meta),
            "read_only" => flag(&mut self.read_only, key, meta),
            "base" => self.base(key, meta),
            _ => self.dimension(key, meta),
        }
    }

    fn base(&mut self, key: &Ident, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let literal = literal(key, meta, "base = \"published\"")?;
        if self.base.is_some() {
            return Err(twice(key));
        }
        let function = literal.parse().map_err(|_| {
            let value = literal.value();
            let message = format!(
                "`{value}` is not the path of a function: write its name, as in `base = \"published\"`"
            );
            error(&literal, message)
        })?;
        self.base = Some(function);
        Ok(())
    }

    fn dimension(&mut self, key: &Ident, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let name = key.to_string();
        if !meta.input.peek(Token![=]) {
            return Err(error(key, unknown(&name)));
        }
        check_name(key, &name)?;
        let source = literal(key, meta, &format!("{name} = \"{name}_id\""))?;
        if self.dimensions.iter().any(|known| known.name == *key) {
            return Err(twice(key));
        }
        self.dimensions.push(Dimension {
            name: key.clone(),
            source,
        });
        Ok(())
    }

    fn check(&self, model: &Ident) -> syn::Result<()> {
        if let Some(global) = &self.global {
            return self.check_global(global);
        }
        if self.dimensions.is_empty() {
            let message = format!("the model does not say who owns its rows: {DECLARE}");
            return Err(error(model, message));
        }
        if let Some(exists) = &self.exists
            && !self.dimensions.iter().any(Dimension::is_path)
        {
            return Err(error(
                exists,
                "`exists` says how a path is followed, and the model has none: drop it, or declare \
                 a path, as in `tenant = \"parent.tenant_id\"`",
            ));
        }
        if let (Some(_), Some(second)) = (&self.append_only, &self.read_only) {
            return Err(error(
                second,
                "`append_only` and `read_only` cannot both hold: keep one",
            ));
        }
        Ok(())
    }

    fn check_global(&self, global: &Ident) -> syn::Result<()> {
        if let Some(dimension) = self.dimensions.first() {
            let name = &dimension.name;
            let message =
                format!("nobody owns the rows of a `global` model: drop `global` or `{name}`");
            return Err(error(global, message));
        }
        if let Some(rights) = self.append_only.as_ref().or(self.read_only.as_ref()) {
            let message = format!("every scope may only read a `global` model: drop `{rights}`");
            return Err(error(rights, message));
        }
        if let Some(exists) = &self.exists {
            return Err(error(exists, "a `global` model has no path: drop `exists`"));
        }
        Ok(())
    }
}

/// Whether the attribute holds a list: what syn says of anything else names no fix.
fn check_list(meta: &Meta) -> syn::Result<()> {
    let tokens = match meta {
        Meta::List(list) => list.tokens.clone(),
        Meta::Path(_) => TokenStream::new(),
        Meta::NameValue(_) => {
            return Err(error(
                meta,
                "write a list: `#[scoped(tenant = \"tenant_id\")]`",
            ));
        }
    };
    match tokens.into_iter().next() {
        None => Err(error(
            meta,
            format!("the attribute says nothing: {DECLARE}"),
        )),
        Some(TokenTree::Literal(literal)) => Err(error(
            &literal,
            format!("name the dimension of the column: write `tenant = {literal}`"),
        )),
        Some(TokenTree::Group(_) | TokenTree::Ident(_) | TokenTree::Punct(_)) => Ok(()),
    }
}

fn flag(slot: &mut Option<Ident>, key: &Ident, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if !meta.input.is_empty() && !meta.input.peek(Token![,]) {
        let message = format!("`{key}` is a flag and takes no value: write `{key}` alone");
        return Err(error(key, message));
    }
    if slot.is_some() {
        return Err(twice(key));
    }
    *slot = Some(key.clone());
    Ok(())
}

fn literal(key: &Ident, meta: &ParseNestedMeta<'_>, example: &str) -> syn::Result<LitStr> {
    if !meta.input.peek(Token![=]) {
        return Err(error(
            key,
            format!("`{key}` needs a value: write `{example}`"),
        ));
    }
    let value = meta.value()?;
    if !value.peek(LitStr) {
        return Err(syn::Error::new(
            value.span(),
            format!("write the value in quotes: `{example}`"),
        ));
    }
    value.parse()
}

fn check_name(key: &Ident, name: &str) -> syn::Result<()> {
    let shape = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_'));
    if !shape || name.len() > LONGEST {
        let message = format!(
            "`{name}` cannot name a dimension: use lower-case letters, digits and `_`, a letter \
             first, at most {LONGEST} characters"
        );
        return Err(error(key, message));
    }
    if FUNCTIONS.contains(&name) || name.starts_with(FUNCTION_PREFIX) || name.ends_with(LIST_SUFFIX)
    {
        let message = format!(
            "`{name}` cannot name a dimension, since the database has a function \
             `partywall.{name}`: choose another name"
        );
        return Err(error(key, message));
    }
    if WORDS.contains(&name) {
        let message = format!(
            "`{name}` cannot name a dimension, since no scope holds everybody's rows: choose \
             another name"
        );
        return Err(error(key, message));
    }
    Ok(())
}

fn unknown(name: &str) -> String {
    let meant = match suggest::nearest(name, FLAGS) {
        Some(flag) => format!("did you mean `{flag}`?"),
        None => format!("the flags are {};", suggest::list(FLAGS)),
    };
    format!("unknown flag `{name}`: {meant} a dimension is written `{name} = \"column\"`")
}

fn twice(key: &Ident) -> syn::Error {
    error(key, format!("`{key}` is declared twice: keep one"))
}

fn error(at: &impl Spanned, message: impl std::fmt::Display) -> syn::Error {
    syn::Error::new(at.span(), message)
}
