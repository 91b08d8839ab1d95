//! Creates, reads and changes stores and their settings.

use diesel::PgConnection;
use kernel::{
    audit::{self, Entry},
    call::Cx,
    extract::IfMatch,
    ids::StoreId,
};

use crate::{
    Store,
    domain::settings::Settings,
    dto::{CreateStore, StoreView, UpdateStore, UpdateStoreSettings},
    error::Error,
    events,
    repo::{
        columns::{Kind, Negative, Tax, Zone},
        stores::{self, StoreFilter, StoreRow},
    },
};

impl Store {
    /// Creates a store, for imports; one that has the code already is left as it is. Answers its
    /// id.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for settings that do not fit together, and when the database cannot be
    /// used.
    pub async fn create_store(&self, cx: &Cx, request: CreateStore) -> Result<StoreId, Error> {
        let code = request.code.as_str().to_owned();
        match self.add_store(cx, request).await {
            Ok(row) => Ok(row.id),
            Err(Error::StoreCodeTaken) => self
                .db
                .run(move |conn| stores::find_by_code(conn, &code).map_err(Error::from))
                .await?
                .ok_or(Error::StoreCodeTaken),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn add_store(&self, cx: &Cx, request: CreateStore) -> Result<StoreRow, Error> {
        let row = new_store(request)?;
        let (cx, actor) = (cx.clone(), cx.actor);
        self.db
            .transaction(move |conn| {
                let row = stores::insert(conn, &row)?;
                note(conn, &cx, "store.create", None, &row)?;
                events::store_changed(conn, row.id, row.version, actor)?;
                Ok(row)
            })
            .await
    }

    pub(crate) async fn store(&self, id: StoreId) -> Result<StoreRow, Error> {
        self.db
            .run(move |conn| stores::find(conn, id)?.ok_or(Error::NotFound("store")))
            .await
    }

    pub(crate) async fn stores(&self, filter: StoreFilter) -> Result<Vec<StoreRow>, Error> {
        self.db
            .run(move |conn| stores::list(conn, filter).map_err(Error::from))
            .await
    }

    pub(crate) async fn update_store(
        &self,
        cx: &Cx,
        id: StoreId,
        if_match: IfMatch,
        patch: UpdateStore,
    ) -> Result<StoreRow, Error> {
        let UpdateStore {
            name,
            kind,
            address,
        } = patch;
        self.change(cx, id, if_match, "store.update", move |_, row| {
            in_use(row)?;
            if let Some(name) = name {
                row.name = name.into_string();
            }
            if let Some(kind) = kind {
                row.kind = Kind(kind);
            }
            if let Some(address) = address {
                row.address = address.map(kernel::text::Text::into_string);
            }
            Ok(true)
        })
        .await
    }

    pub(crate) async fn update_settings(
        &self,
        cx: &Cx,
        id: StoreId,
        if_match: IfMatch,
        patch: UpdateStoreSettings,
    ) -> Result<StoreRow, Error> {
        self.change(cx, id, if_match, "store.settings", move |conn, row| {
            in_use(row)?;
            let before = row.currency;
            row.set(patch.onto(row.settings(), "")?);
            if row.currency != before && stores::has_movements(conn, row.id)? {
                return Err(Error::CurrencyInUse);
            }
            Ok(true)
        })
        .await
    }

    /// Archives a store that has no stock; one that is archived stays as it is.
    pub(crate) async fn archive_store(&self, cx: &Cx, id: StoreId) -> Result<StoreRow, Error> {
        self.change(cx, id, IfMatch(None), "store.archive", |conn, row| {
            if row.archived_at.is_some() {
                return Ok(false);
            }
            if stores::has_stock(conn, row.id)? {
                return Err(Error::StockLeft);
            }
            row.archived_at = Some(kernel::time::now());
            Ok(true)
        })
        .await
    }

    /// Takes an archived store back into use; one that is in use stays as it is.
    pub(crate) async fn restore_store(&self, cx: &Cx, id: StoreId) -> Result<StoreRow, Error> {
        self.change(cx, id, IfMatch(None), "store.restore", |_, row| {
            Ok(row.archived_at.take().is_some())
        })
        .await
    }

    /// The one way a store changes: locked, checked, written with the next version, noted and
    /// published. `edit` answers whether there is anything to write.
    async fn change<F>(
        &self,
        cx: &Cx,
        id: StoreId,
        if_match: IfMatch,
        action: &'static str,
        edit: F,
    ) -> Result<StoreRow, Error>
    where
        F: FnOnce(&mut PgConnection, &mut StoreRow) -> Result<bool, Error> + Send + 'static,
    {
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                let before = stores::lock(conn, id)?.ok_or(Error::NotFound("store"))?;
                if_match.check(before.version)?;
                let mut row = before.clone();
                if !edit(conn, &mut row)? {
                    return Ok(row);
                }
                row.version += 1;
                row.updated_at = kernel::time::now();
                let row =
                    stores::save(conn, &row, before.version)?.ok_or(Error::VersionMismatch {
                        current: before.version,
                    })?;
                note(conn, &cx, action, Some(before), &row)?;
                events::store_changed(conn, id, row.version, cx.actor)?;
                Ok(row)
            })
            .await
    }
}

pub(crate) fn in_use(row: &StoreRow) -> Result<(), Error> {
    match row.archived_at {
        None => Ok(()),
        Some(_) => Err(Error::StoreArchived),
    }
}

fn new_store(request: CreateStore) -> Result<StoreRow, Error> {
    let CreateStore {
        id,
        code,
        name,
        kind,
        address,
        settings,
    } = request;
    let initial =
        Settings::initial().ok_or_else(|| Error::invalid("/settings", "must be given"))?;
    let settings = settings.onto(initial, "/settings")?;
    let now = kernel::time::now();
    let mut row = StoreRow {
        id: id.unwrap_or_default(),
        code: code.into_string(),
        name: name.into_string(),
        kind: Kind(kind),
        address: address.map(kernel::text::Text::into_string),
        timezone: Zone(settings.timezone),
        day_cutoff: settings.day_cutoff.0,
        currency: settings.currency,
        tax_mode: Tax(settings.tax_mode),
        negative_stock: Negative(settings.negative_stock),
        return_limit_minor: None,
        receipt_text: None,
        version: 1,
        created_at: now,
        updated_at: now,
        archived_at: None,
        tax_region: None,
        cash_rounding_minor: None,
    };
    row.set(settings);
    Ok(row)
}

fn note(
    conn: &mut PgConnection,
    cx: &Cx,
    action: &'static str,
    before: Option<StoreRow>,
    after: &StoreRow,
) -> Result<(), Error> {
    let entry = Entry::new(cx, action, after.id).at(after.id);
    let (before, after) = (before.map(StoreView::from), StoreView::from(after.clone()));
    let entry = entry.change(before.as_ref(), Some(&after))?;
    Ok(audit::append(conn, &[entry])?)
}
