/// Something in the database that belongs to a table and has a name.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) name: String,
    pub(super) create: String,
    pub(super) drop: String,
}
