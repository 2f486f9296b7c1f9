use proptest::prelude::*;
use sea_orm::{DbBackend, EntityTrait as _, QueryFilter as _, QueryTrait as _, Value};

use super::{asked::selection, *};
use crate::web::{
    Problem,
    resource::{Format, Sight},
};

#[allow(unreachable_pub, reason = "SeaORM's macros make entities public")]
mod task {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "task")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub title: String,
        pub rank: Option<i32>,
        pub due: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

fn list() -> List<task::Entity> {
    List::new()
        .filter("title", task::Column::Title, [Op::Eq, Op::In, Op::Contains])
        .filter("rank", task::Column::Rank, Op::RANGE)
        .filter("rank", task::Column::Rank, [Op::Ne, Op::IsNull])
        .search([task::Column::Title])
        .sort("title", task::Column::Title)
        .sort("rank", task::Column::Rank)
        .sort("due", task::Column::Due)
        .default_sort("-due")
}

fn field_of(column: task::Column) -> &'static str {
    use sea_orm::IdenStatic as _;
    column.as_str()
}

fn read(query: &str) -> Result<Asked<task::Entity>, Problem> {
    read_as(query, &Sight::default())
}

fn read_as(query: &str, sight: &Sight) -> Result<Asked<task::Entity>, Problem> {
    let fields = ["id", "title", "rank"].map(str::to_owned);
    let known = Known {
        sight,
        fields: &fields,
        field_of,
        accept: None,
    };
    list().read(query, &known)
}

fn wanted(condition: sea_orm::Condition) -> String {
    let sql = task::Entity::find()
        .filter(condition)
        .build(DbBackend::Postgres)
        .to_string();
    sql.split_once(" WHERE ")
        .unwrap()
        .1
        .replace("\"task\".", "")
        .replace('"', "")
}

#[test]
fn a_query_becomes_a_condition() {
    let sql = |query: &str| wanted(read(query).unwrap().condition());
    assert_eq!(sql("title=a%27b"), r"title = E'a\'b'");
    assert_eq!(sql("title__in=a,b"), "title IN ('a', 'b')");
    assert_eq!(sql("rank__ne=3"), "rank <> 3 OR rank IS NULL");
    assert_eq!(sql("rank__gte=3&rank__lt=9"), "rank >= 3 AND rank < 9");
    assert_eq!(sql("rank__is_null=false"), "rank IS NOT NULL");
    assert_eq!(
        sql("title__contains=5%25_\\"),
        r"title ILIKE E'%5\\%\\_\\\\%'"
    );
    assert_eq!(
        sql("search=a++b"),
        "(title ILIKE '%a%') AND (title ILIKE '%b%')"
    );
}

#[test]
fn an_order_ends_in_the_primary_key() {
    let order = |query: &str| -> Vec<(&str, bool)> {
        let asked = read(query).unwrap();
        asked
            .order
            .iter()
            .map(|term| (field_of(term.column), term.is_descending))
            .collect()
    };
    assert_eq!(order(""), [("due", true), ("id", true)]);
    assert_eq!(
        order("sort=rank,-title"),
        [("rank", false), ("title", true), ("id", true)]
    );
    // What is hidden is no order for anybody.
    let sight = Sight::new(|name| name == "due", |_| false);
    let asked = read_as("", &sight).unwrap();
    assert_eq!(asked.order.len(), 1);
    assert!(read_as("sort=due", &sight).is_err());
}

#[test]
fn what_lies_beyond_a_row() {
    let values = |texts: &[Option<i32>]| -> Vec<Option<Value>> {
        texts.iter().map(|text| text.map(Value::from)).collect()
    };
    let sql = |sort: &str, position: &[Option<i32>], before: bool| {
        let asked = read(&format!("sort={sort}")).unwrap();
        wanted(beyond(&asked.order, &values(position), before))
    };
    // One direction and no NULL: an index over the columns serves it.
    assert_eq!(
        sql("title", &[Some(1), Some(2)], false),
        "(title, id) > (1, 2)"
    );
    assert_eq!(
        sql("-title", &[Some(1), Some(2)], false),
        "(title, id) < (1, 2)"
    );
    assert_eq!(
        sql("-title", &[Some(1), Some(2)], true),
        "(title, id) > (1, 2)"
    );
    let spelt = "rank > 1 OR rank IS NULL OR (rank = 1 AND id > 2)";
    assert_eq!(sql("rank", &[Some(1), Some(2)], false), spelt);
    assert_eq!(
        sql("rank", &[None, Some(2)], false),
        "rank IS NULL AND id > 2"
    );
    let before = "rank IS NOT NULL OR (rank IS NULL AND id < 2)";
    assert_eq!(sql("rank", &[None, Some(2)], true), before);
    let mixed = "title > 1 OR (title = 1 AND due < 2) OR (title = 1 AND due = 2 AND id < 3)";
    assert_eq!(
        sql("title,-due", &[Some(1), Some(2), Some(3)], false),
        mixed
    );
}

#[test]
fn the_same_query_is_the_same_for_a_cursor() {
    let canonical = |query: &str| read(query).unwrap().canonical;
    let one = canonical("title=a&rank__gt=1&limit=5&cursor=x&fields=id");
    assert_eq!(one, canonical("rank__gt=1&title=a&sort=-due"));
    for other in [
        "title=a",
        "title=a&rank__gt=2",
        "title=a&rank__gt=1&sort=due",
        "title=a&rank__gt=1&search=x",
    ] {
        assert_ne!(one, canonical(other), "{other}");
    }
    // No value can pass for another parameter.
    assert_ne!(canonical("search=sort"), canonical("search="));
    assert_ne!(canonical("title__in=a,b"), canonical("title=a,b"));
}

#[test]
fn an_export_has_no_pages() {
    assert_eq!(read("format=csv").unwrap().format, Some(Format::Csv));
    for query in [
        "format=csv&limit=1",
        "cursor=x&format=jsonl",
        "format=csv&count=true",
    ] {
        assert!(read(query).is_err(), "{query}");
    }
    assert!(read("format=json&limit=1").is_ok());
}

#[test]
fn only_fields_that_are_seen_are_chosen() {
    let fields = ["id", "title"].map(str::to_owned);
    let sight = Sight::new(|name| name == "title", |_| false);
    assert_eq!(
        selection("id,id", &fields, &Sight::default()),
        Ok(vec!["id".to_owned()])
    );
    assert!(selection("title", &fields, &sight).is_err());
    assert!(selection("", &fields, &sight).is_err());
    assert!(read_selection("fields=id&fields=id", &fields, &sight).is_err());
    assert!(read_selection("other=1", &fields, &sight).is_err());
    assert_eq!(read_selection("tenant=a", &fields, &sight), Ok(None));
}

proptest! {
    #[test]
    fn never_panics(query in "\\PC{0,60}", name in "(title|rank|search|sort|limit|cursor|count|fields|format)(__[a-z_]{0,8})?", value in "\\PC{0,20}") {
        let _ = read(&query);
        let encoded: String = form_urlencoded::Serializer::new(String::new()).append_pair(&name, &value).finish();
        if let Ok(asked) = read(&encoded) {
            let _ = wanted(asked.condition().add(sea_orm::Condition::all().add(sea_orm::sea_query::Expr::cust("TRUE"))));
        }
    }
}
