//! The grants of a user, replaced as a whole.

use diesel::{ExpressionMethods, Insertable, PgConnection, QueryDsl, QueryResult, RunQueryDsl};
use kernel::{
    auth::Grant,
    ids::{StoreId, UserId},
};

use crate::schema::grants;

#[derive(Insertable)]
#[diesel(table_name = grants, treat_none_as_default_value = false)]
struct NewGrant {
    user_id: UserId,
    position: i32,
    role: &'static str,
    store_id: Option<StoreId>,
}

/// Call it with the user's row locked.
pub(crate) fn replace(conn: &mut PgConnection, user: UserId, given: &[Grant]) -> QueryResult<()> {
    diesel::delete(grants::table.filter(grants::user_id.eq(user))).execute(conn)?;
    let rows: Vec<NewGrant> = (0..)
        .zip(given)
        .map(|(position, Grant { role, store_id })| NewGrant {
            user_id: user,
            position,
            role: role.as_str(),
            store_id: *store_id,
        })
        .collect();
    diesel::insert_into(grants::table)
        .values(&rows)
        .execute(conn)
        .map(drop)
}
