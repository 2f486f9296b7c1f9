use heck::ToUpperCamelCase;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Data, DeriveInput, Fields, Ident, LitStr, spanned::Spanned};

use crate::{
    attribute::{Declaration, Dimension},
    column::Column,
    suggest,
};

/// The `impl Scoped for Entity` of a model.
pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    // `#[sea_orm::model]` repeats every derive on the `ModelEx` that it adds. One impl is enough.
    if input.ident == "ModelEx" {
        return Ok(TokenStream::new());
    }
    let columns = columns(input)?;
    let declaration = Declaration::read(&input.ident, &input.attrs)?;
    let ownership = ownership(&declaration, &columns)?;
    let rights = rights(&declaration);
    let base_filter = base_filter(&declaration);
    let kinds = columns.iter().map(|column| {
        let (name, ty) = (database_name(column), column.ty);
        quote!((#name, ::partywall::db::kind_of::<#ty>()))
    });
    Ok(quote! {
        #[automatically_derived]
        impl ::partywall::schema::Scoped for Entity {
            fn ownership() -> ::partywall::schema::Ownership {
                #ownership
            }

            #rights

            #base_filter

            fn kinds() -> ::std::vec::Vec<(&'static str, ::partywall::db::Kind)> {
                ::std::vec::Vec::from([#(#kinds),*])
            }
        }
    })
}

/// The error, and on a `Model` an impl that keeps rustc from adding, wherever the entity is used,
/// that it has no owner: one mistake, one message.
pub(crate) fn refuse(input: &DeriveInput, error: &syn::Error) -> TokenStream {
    let error = error.to_compile_error();
    if input.ident != "Model" || !matches!(input.data, Data::Struct(_)) {
        return error;
    }
    quote! {
        #error

        #[automatically_derived]
        impl ::partywall::schema::Scoped for Entity {
            fn ownership() -> ::partywall::schema::Ownership {
                ::core::unreachable!()
            }

            fn kinds() -> ::std::vec::Vec<(&'static str, ::partywall::db::Kind)> {
                ::core::unreachable!()
            }
        }
    }
}

fn columns(input: &DeriveInput) -> syn::Result<Vec<Column<'_>>> {
    let refuse = |what: &str| {
        let message = format!(
            "{what}: put `Scoped` on the struct `Model` of an entity, beside `DeriveEntityModel`"
        );
        Err(syn::Error::new(input.ident.span(), message))
    };
    let data = match &input.data {
        Data::Struct(data) => data,
        Data::Enum(_) => return refuse("an enum has no columns"),
        Data::Union(_) => return refuse("a union has no columns"),
    };
    let fields = match &data.fields {
        Fields::Named(fields) => &fields.named,
        Fields::Unnamed(_) => return refuse("the fields of a tuple struct have no names"),
        Fields::Unit => return refuse("a unit struct has no columns"),
    };
    if input.ident != "Model" {
        return refuse(&format!("`{}` is not a model", input.ident));
    }
    if !input.generics.params.is_empty() {
        let message = "a model stands for one table: drop the generic parameters";
        return Err(syn::Error::new(input.generics.span(), message));
    }
    fields
        .iter()
        .filter_map(|field| Column::read(field).transpose())
        .collect()
}

fn ownership(declaration: &Declaration, columns: &[Column<'_>]) -> syn::Result<TokenStream> {
    if declaration.global.is_some() {
        return Ok(quote!(::partywall::schema::Ownership::Global));
    }
    let by = match declaration.exists {
        Some(_) => quote!(::partywall::schema::PathBy::Exists),
        None => quote!(::partywall::schema::PathBy::Column),
    };
    let owned = declaration
        .dimensions
        .iter()
        .map(|dimension| {
            if dimension.is_path() {
                by_path(dimension, &by)
            } else {
                by_column(dimension, columns)
            }
        })
        .collect::<syn::Result<Vec<_>>>()?;
    Ok(quote!(::partywall::schema::Ownership::Owned(::std::vec::Vec::from([#(#owned),*]))))
}

fn by_column(dimension: &Dimension, columns: &[Column<'_>]) -> syn::Result<TokenStream> {
    let field = dimension.source.value();
    let Some(column) = columns.iter().find(|column| column.field == field) else {
        let fields = || columns.iter().map(|column| column.field.as_str());
        let meant = suggest::nearest(&field, fields())
            .map(|near| format!("did you mean `{near}`? "))
            .unwrap_or_default();
        let message = format!(
            "the model has no column field `{field}`: {meant}it has {}",
            suggest::list(fields())
        );
        return Err(syn::Error::new(dimension.source.span(), message));
    };
    let (dimension, name, ty) = (dimension.name.to_string(), database_name(column), column.ty);
    Ok(quote!(::partywall::schema::Owned::column::<#ty>(#dimension, #name)))
}

fn by_path(dimension: &Dimension, by: &TokenStream) -> syn::Result<TokenStream> {
    let (relation, rest) = split(&dimension.source)?;
    let dimension = dimension.name.to_string();
    Ok(quote! {
        ::partywall::schema::Owned::path(
            #dimension,
            <Relation as ::partywall::__private::sea_orm::RelationTrait>::def(&Relation::#relation),
            #rest,
            #by,
        )
    })
}

/// `"post.site.tenant_id"` is the relation `Post` and, for the parent to read, `site.tenant_id`.
fn split(path: &LitStr) -> syn::Result<(Ident, String)> {
    let text = path.value();
    let refuse = |message: String| syn::Error::new(path.span(), message);
    if !text.split('.').all(is_word) {
        return Err(refuse(format!(
            "`{text}` is not a path: write relations and then a column, with dots between them, as \
             in `post.tenant_id`"
        )));
    }
    let (relation, rest) = text.split_once('.').unwrap_or((&text, ""));
    if relation.chars().any(char::is_uppercase) {
        return Err(refuse(format!(
            "a path names a relation in snake case: write `{}.{rest}`",
            heck::AsSnakeCase(relation)
        )));
    }
    let mut variant: Ident = syn::parse_str(&relation.to_upper_camel_case()).map_err(|_| {
        refuse(format!(
            "`{relation}` cannot be a relation: rename the variant"
        ))
    })?;
    // At the literal, so that rustc points there when there is no such relation.
    variant.set_span(path.span());
    Ok((variant, rest.to_owned()))
}

fn is_word(part: &str) -> bool {
    part.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && part.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// The column's name in the database, which SeaORM knows best: `column_name`, `rename_all`.
fn database_name(column: &Column<'_>) -> TokenStream {
    let variant = &column.variant;
    quote!(<Column as ::partywall::__private::sea_orm::IdenStatic>::as_str(&Column::#variant))
}

fn rights(declaration: &Declaration) -> Option<TokenStream> {
    let right = match (&declaration.append_only, &declaration.read_only) {
        (Some(_), _) => "AppendOnly",
        (None, Some(_)) => "ReadOnly",
        (None, None) => return None,
    };
    let right = Ident::new(right, Span::call_site());
    Some(quote! {
        fn rights() -> ::partywall::schema::Rights {
            ::partywall::schema::Rights::#right
        }
    })
}

fn base_filter(declaration: &Declaration) -> Option<TokenStream> {
    let function = declaration.base.as_ref()?;
    let filter = quote_spanned!(function.span() => #function());
    Some(quote! {
        fn base_filter()
        -> ::core::option::Option<::partywall::__private::sea_orm::Condition> {
            ::core::option::Option::Some(#filter)
        }
    })
}
