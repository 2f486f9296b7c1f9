use crate::suggest::nearest;

#[test]
fn near_names_are_suggested() {
    let names = ["id", "tenant_id", "title"];
    assert_eq!(nearest("tenat_id", names), Some("tenant_id"));
    assert_eq!(nearest("tenant", names), None);
    assert_eq!(nearest("titel", names), Some("title"));
    assert_eq!(nearest("owner", names), None);
    assert_eq!(nearest("", names), None);
    assert_eq!(nearest("tenant_id", [] as [&str; 0]), None);
}
