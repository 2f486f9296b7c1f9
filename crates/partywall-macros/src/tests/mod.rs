mod refusals;
mod shapes;
mod suggest;

use syn::DeriveInput;

/// A model with these attributes, read from text so that spans have a source.
fn model(attributes: &str) -> DeriveInput {
    parse(&format!(
        "{attributes} pub struct Model {{
             #[sea_orm(primary_key, auto_increment = false)]
             pub id: Uuid,
             pub tenant_id: Uuid,
             pub author_id: i64,
             pub title: Option<String>,
         }}"
    ))
}

fn parse(item: &str) -> DeriveInput {
    syn::parse_str(item).unwrap()
}
