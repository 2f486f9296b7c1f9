//! A body of JSON as a new row and as a change: what is read has none of the server's own fields.

#![no_main]

use libfuzzer_sys::fuzz_target;
use partywall::web::resource::fuzz;
use partywall_fuzz::{ChangeNote, NewNote};
use serde_json::Value;

const SERVERS: [&str; 3] = ["id", "account_id", "role"];

fuzz_target!(|body: &[u8]| {
    let is_read = [fuzz::body::<NewNote>(body), fuzz::body::<ChangeNote>(body)];
    if is_read == [false; 2] {
        return;
    }
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(body) else {
        panic!("only an object is read");
    };
    for name in SERVERS {
        assert!(!fields.contains_key(name), "{name} was read");
    }
    for name in SERVERS {
        fields.insert(name.to_owned(), Value::from("x"));
        let body = Value::Object(fields.clone()).to_string();
        assert!(!fuzz::body::<NewNote>(body.as_bytes()));
        assert!(!fuzz::body::<ChangeNote>(body.as_bytes()));
        fields.remove(name);
    }
});
