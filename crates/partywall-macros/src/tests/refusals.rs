use insta::assert_snapshot;

use super::{model, parse};
use crate::expand::expand;

/// Each item with the error it is refused with, and with what the error points at.
fn refused<'a>(items: impl IntoIterator<Item = (&'a str, syn::DeriveInput)>) -> String {
    let mut report = String::new();
    for (item, input) in items {
        let error = expand(&input).expect_err(item);
        let at = error.span().source_text().unwrap();
        report += &format!("{item}\n    at `{at}`: {error}\n");
    }
    report
}

fn attributes<const N: usize>(attributes: [&str; N]) -> String {
    refused(attributes.map(|attribute| (attribute, model(attribute))))
}

fn items<const N: usize>(items: [&str; N]) -> String {
    refused(items.map(|item| (item, parse(item))))
}

#[test]
fn nothing_declared() {
    assert_snapshot!(attributes([
        "",
        "#[scoped]",
        "#[scoped()]",
        "#[scoped(global)] #[scoped()]",
        "#[scoped(append_only)]",
        r#"#[scoped(base = "published")]"#,
    ]));
}

#[test]
fn not_a_list_of_entries() {
    assert_snapshot!(attributes([
        r#"#[scoped = "tenant_id"]"#,
        r#"#[scoped("tenant_id")]"#,
        r#"#[scoped(tenant = "tenant_id" global)]"#,
        r#"#[scoped(own::tenant = "tenant_id")]"#,
        r#"#[scoped(global, "tenant_id")]"#,
    ]));
}

#[test]
fn columns() {
    assert_snapshot!(attributes([
        r#"#[scoped(tenant = "tenat_id")]"#,
        r#"#[scoped(tenant = "owner")]"#,
        r#"#[scoped(tenant = "")]"#,
        "#[scoped(tenant = tenant_id)]",
        "#[scoped(tenant = 7)]",
        "#[scoped(tenant = )]",
    ]));
}

#[test]
fn paths() {
    assert_snapshot!(attributes([
        r#"#[scoped(tenant = "post..tenant_id")]"#,
        r#"#[scoped(tenant = "post.")]"#,
        r#"#[scoped(tenant = ".tenant_id")]"#,
        r#"#[scoped(tenant = "post.tenant id")]"#,
        r#"#[scoped(tenant = "post::tenant.id")]"#,
        r#"#[scoped(tenant = "7.id")]"#,
        r#"#[scoped(tenant = "BlogPost.tenant_id")]"#,
        r#"#[scoped(tenant = "self.tenant_id")]"#,
        r#"#[scoped(tenant = "_.tenant_id")]"#,
    ]));
}

#[test]
fn flags() {
    assert_snapshot!(attributes([
        r#"#[scoped(tenant = "tenant_id", exist)]"#,
        "#[scoped(tenant)]",
        r#"#[scoped(tenant("tenant_id"))]"#,
        "#[scoped(global = true)]",
        r#"#[scoped(tenant = "tenant_id", read_only())]"#,
    ]));
}

#[test]
fn contradictions() {
    assert_snapshot!(attributes([
        r#"#[scoped(global, tenant = "tenant_id")]"#,
        r#"#[scoped(tenant = "tenant_id")] #[scoped(global)]"#,
        "#[scoped(global, read_only)]",
        "#[scoped(global, append_only)]",
        "#[scoped(global, exists)]",
        r#"#[scoped(tenant = "tenant_id", exists)]"#,
        r#"#[scoped(tenant = "tenant_id", read_only, append_only)]"#,
    ]));
}

#[test]
fn declared_twice() {
    assert_snapshot!(attributes([
        r#"#[scoped(tenant = "tenant_id", tenant = "id")]"#,
        r#"#[scoped(tenant = "tenant_id")] #[scoped(tenant = "tenant_id")]"#,
        "#[scoped(global, global)]",
        r#"#[scoped(global, base = "a", base = "b")]"#,
    ]));
}

#[test]
fn dimension_names() {
    assert_snapshot!(attributes([
        r#"#[scoped(Tenant = "tenant_id")]"#,
        r#"#[scoped(_tenant = "tenant_id")]"#,
        r#"#[scoped(r#type = "tenant_id")]"#,
        r#"#[scoped(ténant = "tenant_id")]"#,
        r#"#[scoped(enter = "tenant_id")]"#,
        r#"#[scoped(narrow = "tenant_id")]"#,
        r#"#[scoped(context = "tenant_id")]"#,
        r#"#[scoped(cross = "tenant_id")]"#,
        r#"#[scoped(seal_keys = "tenant_id")]"#,
        r#"#[scoped(tenant_list = "tenant_id")]"#,
        r#"#[scoped(identity_key = "tenant_id")]"#,
        r#"#[scoped(all = "tenant_id")]"#,
        r#"#[scoped(any = "tenant_id")]"#,
        r#"#[scoped(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa = "tenant_id")]"#,
    ]));
}

#[test]
fn base_filters() {
    assert_snapshot!(attributes([
        "#[scoped(global, base)]",
        "#[scoped(global, base = published)]",
        r#"#[scoped(global, base = "not a path")]"#,
        r#"#[scoped(global, base = "published()")]"#,
    ]));
}

#[test]
fn not_a_model() {
    assert_snapshot!(items([
        "#[scoped(global)] enum Model { A }",
        "#[scoped(global)] union Model { a: u8 }",
        "#[scoped(global)] struct Model(Uuid);",
        "#[scoped(global)] struct Model;",
        "#[scoped(global)] struct Note { id: Uuid }",
        "#[scoped(global)] struct Model<T> { id: T }",
        "#[scoped(global)] struct Model<'a> { id: &'a str }",
        "#[scoped(global)] struct Model { _1: i64 }",
    ]));
}

#[test]
fn what_is_no_column_owns_nothing() {
    assert_snapshot!(items([
        r#"#[scoped(tenant = "id")] struct Model { #[sea_orm(ignore)] id: Uuid, key: Uuid }"#,
        r#"#[scoped(tenant = "post")] struct Model { key: Uuid, post: HasOne<post::Entity> }"#,
    ]));
}

/// The positive control: what the refusals above differ from is accepted.
#[test]
fn the_longest_name_is_accepted() {
    let name = "a".repeat(40);
    assert!(expand(&model(&format!("#[scoped({name} = \"tenant_id\")]"))).is_ok());
}
