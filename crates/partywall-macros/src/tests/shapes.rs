use insta::assert_snapshot;
use syn::DeriveInput;

use super::{model, parse};
use crate::expand::{expand, refuse};

fn expansion(input: &DeriveInput) -> String {
    prettyplease::unparse(&syn::parse2(expand(input).unwrap()).unwrap())
}

#[test]
fn column() {
    assert_snapshot!(expansion(&model("#[scoped(tenant = \"tenant_id\")]")));
}

#[test]
fn path() {
    assert_snapshot!(expansion(&model(
        "#[scoped(tenant = \"blog_post.site.tenant_id\")]"
    )));
}

#[test]
fn everything_at_once() {
    assert_snapshot!(expansion(&model(
        "#[scoped(tenant = \"post.tenant_id\", author = \"author_id\")]
         #[scoped(exists, append_only, base = \"super::filter::published\",)]"
    )));
}

#[test]
fn global() {
    assert_snapshot!(expansion(&model("#[scoped(global, base = \"published\")]")));
}

#[test]
fn read_only() {
    assert!(
        expansion(&model("#[scoped(tenant = \"tenant_id\", read_only)]"))
            .contains("::partywall::schema::Rights::ReadOnly")
    );
}

#[test]
fn columns_are_those_of_sea_orm() {
    assert_snapshot!(expansion(&parse(
        "#[scoped(tenant = \"type\")]
         pub struct Model {
             #[sea_orm(column_name = \"org\", enum_name = \"Organisation\")]
             pub r#type: Uuid,
             #[sea_orm(some(thing = 1), other = \"x\", ignore)]
             pub cached: String,
             pub self_: i64,
             #[sea_orm(belongs_to, from = \"type\", to = \"id\")]
             pub org: BelongsTo<super::org::Entity>,
             pub parent: HasOne<super::parent::Entity>,
             pub notes: sea_orm::entity::prelude::HasMany<super::note::Entity>,
         }"
    )));
}

#[test]
fn the_second_struct_of_the_dense_format_gets_no_impl() {
    let input = parse("#[scoped(tenant = \"tenant_id\")] pub struct ModelEx { pub id: Uuid }");
    assert!(expand(&input).unwrap().is_empty());
}

#[test]
fn a_refused_model_keeps_an_impl() {
    let input = model("");
    let error = expand(&input).unwrap_err();
    let tokens = syn::parse2(refuse(&input, &error)).unwrap();
    assert_snapshot!(prettyplease::unparse(&tokens));
}

#[test]
fn a_refused_item_that_is_no_model_keeps_none() {
    let input = parse("#[scoped(global)] enum Model { Red }");
    let error = expand(&input).unwrap_err();
    assert!(!refuse(&input, &error).to_string().contains("impl"));
}
