use heck::ToUpperCamelCase;
use quote::ToTokens;
use syn::{Expr, Field, Ident, LitStr, Type, ext::IdentExt, meta::ParseNestedMeta, token::Paren};

/// A field of the model that is a column of its table.
pub(crate) struct Column<'a> {
    /// The field's name, without `r#`.
    pub(crate) field: String,
    /// The variant of the entity's `Column`.
    pub(crate) variant: Ident,
    pub(crate) ty: &'a Type,
}

impl<'a> Column<'a> {
    /// Reads a field as `DeriveEntityModel` does (sea-orm-macros 2.0.4, `derives/entity_model.rs`).
    /// `None` for what is no column: an ignored field, and the relations of the dense format.
    pub(crate) fn read(field: &'a Field) -> syn::Result<Option<Self>> {
        let Some(ident) = &field.ident else {
            return Ok(None);
        };
        let settings = Settings::read(field);
        if settings.ignore || is_relation(&field.ty) {
            return Ok(None);
        }
        let name = ident.unraw().to_string();
        let variant = match settings.enum_name {
            Some(variant) => variant.value(),
            None => name.to_upper_camel_case(),
        };
        // The one keyword in upper camel case: SeaORM adds an underscore too.
        let variant = if variant == "Self" { "Self_" } else { &variant };
        let mut variant: Ident = syn::parse_str(variant).map_err(|_| {
            let message =
                format!("`{name}` gives no name for a column: give the field another one");
            syn::Error::new(ident.span(), message)
        })?;
        variant.set_span(ident.span());
        Ok(Some(Self {
            field: name,
            variant,
            ty: &field.ty,
        }))
    }
}

/// What `#[sea_orm(...)]` on a field says that matters here.
#[derive(Default)]
struct Settings {
    ignore: bool,
    enum_name: Option<LitStr>,
}

impl Settings {
    fn read(field: &Field) -> Self {
        let mut settings = Self::default();
        for attribute in field
            .attrs
            .iter()
            .filter(|attribute| attribute.path().is_ident("sea_orm"))
        {
            // `DeriveEntityModel` reads the same attribute and reports what is wrong in it.
            let _ = attribute.parse_nested_meta(|meta| settings.entry(&meta));
        }
        settings
    }

    fn entry(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        if meta.path.is_ident("ignore") {
            self.ignore = true;
        } else if meta.path.is_ident("enum_name") {
            self.enum_name = Some(meta.value()?.parse()?);
        } else if meta.input.peek(syn::Token![=]) {
            meta.value()?.parse::<Expr>()?;
        } else if meta.input.peek(Paren) {
            meta.parse_nested_meta(|inner| Self::default().entry(&inner))?;
        }
        Ok(())
    }
}

/// `HasOne<…>`, `HasMany<…>` and `BelongsTo<…>` are told by their name, as SeaORM tells them.
fn is_relation(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|last| {
        ["HasOne", "HasMany", "BelongsTo"].contains(&last.ident.to_string().as_str())
            && !last.arguments.to_token_stream().is_empty()
    })
}
