//! The shapes that endpoints tell of what goes in and comes out.

use partywall::web::Body;
use utoipa::ToSchema;

pub(super) fn json<T: ToSchema>() -> Body {
    Body::json::<T>()
}

pub(super) fn form<T: ToSchema>() -> Body {
    Body::of::<T>("application/x-www-form-urlencoded")
}

pub(super) fn html() -> Body {
    Body::of::<String>("text/html")
}
