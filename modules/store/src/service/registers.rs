//! The registers of a store.

use diesel::PgConnection;
use kernel::{
    audit::{self, Entry},
    call::Cx,
    ids::StoreId,
    page::Limit,
};
use uuid::Uuid;

use super::stores::in_use;
use crate::{
    Store,
    dto::{CreateRegister, RegisterView},
    error::Error,
    repo::{
        registers::{self, RegisterRow},
        stores,
    },
};

impl Store {
    /// Adds a register, for imports; one that has the code already is left as it is. Answers its
    /// id.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for an unknown store, [`Error::StoreArchived`], and when the database
    /// cannot be used.
    pub async fn ensure_register(
        &self,
        cx: &Cx,
        store: StoreId,
        request: CreateRegister,
    ) -> Result<Uuid, Error> {
        let code = request.code.as_str().to_owned();
        match self.add_register(cx, store, request).await {
            Ok(row) => Ok(row.id),
            Err(Error::RegisterCodeTaken) => self
                .db
                .run(move |conn| registers::find_by_code(conn, store, &code).map_err(Error::from))
                .await?
                .ok_or(Error::RegisterCodeTaken),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn add_register(
        &self,
        cx: &Cx,
        store: StoreId,
        request: CreateRegister,
    ) -> Result<RegisterRow, Error> {
        let cx = cx.clone();
        let CreateRegister { id, code, name } = request;
        self.db
            .transaction(move |conn| {
                in_use(&stores::lock(conn, store)?.ok_or(Error::NotFound("store"))?)?;
                let row = RegisterRow {
                    store_id: store,
                    id: id.unwrap_or_else(Uuid::now_v7),
                    code: code.into_string(),
                    name: name.into_string(),
                    created_at: kernel::time::now(),
                    archived_at: None,
                };
                let row = registers::insert(conn, &row)?;
                note(conn, &cx, "register.create", None, &row)?;
                Ok(row)
            })
            .await
    }

    /// Registers of a store; only where there are none is it asked whether there is such a store.
    pub(crate) async fn registers(
        &self,
        store: StoreId,
        after: Option<String>,
        limit: Limit,
    ) -> Result<Vec<RegisterRow>, Error> {
        self.db
            .run(move |conn| {
                let rows = registers::list(conn, store, after, limit)?;
                if rows.is_empty() {
                    stores::find(conn, store)?.ok_or(Error::NotFound("store"))?;
                }
                Ok(rows)
            })
            .await
    }

    pub(crate) async fn register(&self, store: StoreId, id: Uuid) -> Result<RegisterRow, Error> {
        self.db
            .run(move |conn| registers::find(conn, store, id)?.ok_or(Error::NotFound("register")))
            .await
    }

    /// Archives a register; one that is archived stays as it is.
    pub(crate) async fn archive_register(
        &self,
        cx: &Cx,
        store: StoreId,
        id: Uuid,
    ) -> Result<RegisterRow, Error> {
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                stores::lock(conn, store)?.ok_or(Error::NotFound("store"))?;
                let before =
                    registers::find(conn, store, id)?.ok_or(Error::NotFound("register"))?;
                match registers::archive(conn, store, id, kernel::time::now())? {
                    None => Ok(before),
                    Some(row) => {
                        note(conn, &cx, "register.archive", Some(before), &row)?;
                        Ok(row)
                    }
                }
            })
            .await
    }
}

/// The caller has locked the store's row.
fn note(
    conn: &mut PgConnection,
    cx: &Cx,
    action: &'static str,
    before: Option<RegisterRow>,
    after: &RegisterRow,
) -> Result<(), Error> {
    let entry = Entry::new(cx, action, after.id).at(after.store_id);
    let (before, after) = (
        before.map(RegisterView::from),
        RegisterView::from(after.clone()),
    );
    let entry = entry.change(before.as_ref(), Some(&after))?;
    Ok(audit::append(conn, &[entry])?)
}
