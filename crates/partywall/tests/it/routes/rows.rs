//! The rows of a path belong together, and to the tenant.

use super::project::Site;
use crate::identity::world::id;

fn remark(tenant: &str, project: &str, task: &str, remark: &str) -> String {
    let (project, task) = (id(project), id(&format!("task of {task}")));
    format!("/tenants/{tenant}/projects/{project}/tasks/{task}/remarks/{remark}")
}

#[tokio::test]
async fn i29_the_whole_chain_of_parents_belongs_together() {
    let site = Site::new().await;
    let own = site.get("bob", &remark("a", "a1", "a1", "0")).await.is(200);
    assert_eq!(own.body, r#"["a1","task of a1","remark of a1"]"#);
    let missing = site.get("bob", &remark("a", "a1", "a1", "9")).await.is(404);
    for path in [
        // A sibling's.
        remark("a", "a1", "a2", "1"),
        remark("a", "a2", "a1", "0"),
        remark("a", "a1", "a1", "1"),
        // Another tenant's, at each level.
        remark("a", "a1", "a1", "2"),
        remark("a", "a1", "b1", "2"),
        remark("a", "b1", "b1", "2"),
        remark("a", "b1", "a1", "0"),
        // Another way to write it.
        remark("a", "a1", "a1", "00"),
        remark("a", "a1", "a1", "%30"),
        remark("a", "a1", "a1", "+0"),
    ] {
        assert_eq!(site.get("bob", &path).await, missing, "{path}");
    }
    // The way down from the top is the owner's own.
    site.get("eve", &remark("b", "b1", "b1", "2")).await.is(200);
}

#[tokio::test]
async fn i41_an_id_has_one_spelling() {
    let site = Site::new().await;
    let project = id("a1").to_string();
    let path = |text: &str| format!("/tenants/a/projects/{text}");
    site.get("bob", &path(&project)).await.is(200);
    let missing = site
        .get("bob", &path(&id("nothing").to_string()))
        .await
        .is(404);
    for text in [
        project.to_uppercase(),
        project.replace('-', ""),
        format!("%7B{project}%7D"),
        format!("urn:uuid:{project}"),
        project.replacen(&project[..1], &format!("%{:02X}", project.as_bytes()[0]), 1),
        format!("{project};x"),
        format!("{project}%00"),
        "..".to_owned(),
        "%2e%2e".to_owned(),
        "%2f".to_owned(),
        "%ff".to_owned(),
    ] {
        assert_eq!(site.get("bob", &path(&text)).await, missing, "{text}");
    }
    // The tenant's id too, which is one when it is canonical.
    let tenant = site.world.a.to_string();
    site.get("bob", &format!("/tenants/{tenant}/projects"))
        .await
        .is(200);
    for text in [
        tenant.to_uppercase(),
        tenant.replace('-', ""),
        "A".to_owned(),
        "%61".to_owned(),
    ] {
        let answer = site.get("bob", &format!("/tenants/{text}/projects")).await;
        assert_eq!(answer, missing, "{text}");
    }
}

#[tokio::test]
async fn a_text_is_the_handlers() {
    let site = Site::new().await;
    let answer = site.get("bob", "/tenants/a/labels/x%20y").await.is(200);
    assert_eq!(answer.body, "x y");
}
