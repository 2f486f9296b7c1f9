//! What must not compile, and for each the same file with one line put right, which must.

#[path = "../../ui/pass/client_field.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod client_field;
#[path = "../../ui/pass/client_method.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod client_method;
#[path = "../../ui/pass/model_attribute_empty.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod model_attribute_empty;
#[path = "../../ui/pass/model_column_misspelt.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod model_column_misspelt;
#[path = "../../ui/pass/model_declares_nothing.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod model_declares_nothing;
#[path = "../../ui/pass/model_dense_format.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod model_dense_format;
#[path = "../../ui/pass/model_dimension_reserved.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod model_dimension_reserved;
#[path = "../../ui/pass/model_dimension_twice.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod model_dimension_twice;
#[path = "../../ui/pass/model_exists_without_path.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod model_exists_without_path;
#[path = "../../ui/pass/model_global_with_dimension.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod model_global_with_dimension;
#[path = "../../ui/pass/model_owner_of_wrong_type.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod model_owner_of_wrong_type;
#[path = "../../ui/pass/model_owner_optional.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod model_owner_optional;
#[path = "../../ui/pass/model_path.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod model_path;
#[path = "../../ui/pass/model_rights_contradict.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod model_rights_contradict;
#[path = "../../ui/pass/model_unknown_relation.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod model_unknown_relation;
#[path = "../../ui/pass/pool_as_connection.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod pool_as_connection;
#[path = "../../ui/pass/pool_field.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod pool_field;
#[path = "../../ui/pass/pool_method.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod pool_method;
#[path = "../../ui/pass/query_delete.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod query_delete;
#[path = "../../ui/pass/query_find.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod query_find;
#[path = "../../ui/pass/query_insert.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod query_insert;
#[path = "../../ui/pass/query_raw.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod query_raw;
#[path = "../../ui/pass/query_within_undeclared.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod query_within_undeclared;
#[path = "../../ui/pass/scope_default.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod scope_default;
#[path = "../../ui/pass/scope_from_id.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod scope_from_id;
#[path = "../../ui/pass/scope_from_text.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod scope_from_text;
#[path = "../../ui/pass/scope_literal.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod scope_literal;
#[path = "../../ui/pass/scope_wrong_id.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod scope_wrong_id;
#[path = "../../ui/pass/transaction_of_sea_orm.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod transaction_of_sea_orm;
#[path = "../../ui/pass/transaction_without_scope.rs"]
#[allow(
    dead_code,
    unused_variables,
    unused_imports,
    unused_must_use,
    reason = "it only has to compile"
)]
#[rustfmt::skip]
mod transaction_without_scope;
mod twins;

/// The words of the compiler change from release to release, and these are of this one. Elsewhere the
/// `compile_fail` examples of the documentation hold the same line.
const RELEASE: &str = "rustc 1.95.";

#[test]
fn d3_what_has_no_scope_does_not_compile() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = std::process::Command::new(rustc)
        .arg("--version")
        .output()
        .unwrap();
    if !String::from_utf8_lossy(&version.stdout).starts_with(RELEASE) {
        eprintln!("not run: the expected messages are those of {RELEASE}x");
        return;
    }
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/fail/*.rs");
}

#[test]
fn declarations_say_what_was_written() {
    model_path::main();
    model_dense_format::main();
}
