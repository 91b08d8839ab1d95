//! The category tree. Whoever changes it holds its lock, so that paths, depths and cycles are
//! judged against what really stands.

use diesel::{
    PgConnection,
    result::{DatabaseErrorKind, Error as Query},
};
use kernel::{
    audit::{self, Entry},
    call::Cx,
    page::Limit,
};
use uuid::Uuid;

use crate::{
    Inventory,
    domain::category::{CategoryName, MAX_DEPTH, is_within, join},
    error::Error,
    repo::categories::{self, Category},
};

impl Inventory {
    /// The category of this id.
    pub(crate) async fn category(&self, id: Uuid) -> Result<Category, Error> {
        self.db
            .run(move |conn| categories::find(conn, id)?.ok_or(Error::NotFound("category")))
            .await
    }

    /// One more category than `limit`.
    pub(crate) async fn categories(
        &self,
        parent_id: Option<Uuid>,
        q: Option<String>,
        after: Option<String>,
        limit: Limit,
    ) -> Result<Vec<Category>, Error> {
        self.db
            .run(move |conn| {
                let found =
                    categories::list(conn, parent_id, q.as_deref(), after.as_deref(), limit)?;
                Ok(found)
            })
            .await
    }

    /// A new category.
    pub(crate) async fn create_category(
        &self,
        cx: &Cx,
        id: Option<Uuid>,
        name: CategoryName,
        parent_id: Option<Uuid>,
    ) -> Result<Category, Error> {
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                if id.is_some() && id == parent_id {
                    return Err(Error::UnknownParent);
                }
                categories::lock_tree(conn)?;
                let parent = parent(conn, parent_id)?;
                let (path, depth) = place(parent.as_ref(), &name);
                let now = kernel::time::now();
                let category = Category {
                    id: id.unwrap_or_else(Uuid::now_v7),
                    parent_id,
                    name: name.as_str().to_owned(),
                    path,
                    depth,
                    version: 1,
                    created_at: now,
                    updated_at: now,
                };
                check_depth(depth)?;
                categories::insert(conn, std::slice::from_ref(&category))?;
                let entry = Entry::new(&cx, "category.create", category.id)
                    .change(None, Some(&category))?;
                audit::append(conn, &[entry])?;
                Ok(category)
            })
            .await
    }

    /// Renames or moves a category, with everything below it: their paths and versions change too.
    pub(crate) async fn edit_category(
        &self,
        cx: &Cx,
        id: Uuid,
        if_match: Option<i64>,
        name: Option<CategoryName>,
        new_parent_id: Option<Option<Uuid>>,
    ) -> Result<Category, Error> {
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                categories::lock_tree(conn)?;
                let before = current(conn, id, if_match)?;
                let parent = parent(conn, new_parent_id.unwrap_or(before.parent_id))?;
                if parent
                    .as_ref()
                    .is_some_and(|p| is_within(&p.path, &before.path))
                {
                    return Err(Error::CategoryCycle);
                }
                let name = name.map_or_else(|| before.name.clone(), |n| n.as_str().to_owned());
                let path = join(parent.as_ref().map(|p| p.path.as_str()), &name);
                if path == before.path {
                    return Ok(before);
                }
                let depth = parent.as_ref().map_or(0, |p| p.depth) + 1;
                let deepest = categories::deepest(conn, &before.path)?;
                check_depth(deepest - before.depth + depth)?;
                let after = Category {
                    parent_id: parent.map(|p| p.id),
                    name,
                    path,
                    depth,
                    version: before.version + 1,
                    updated_at: kernel::time::now(),
                    ..before.clone()
                };
                if categories::update(conn, &before, &after)? == 0 {
                    return Err(Error::VersionMismatch(before.version));
                }
                let entry =
                    Entry::new(&cx, "category.update", id).change(Some(&before), Some(&after))?;
                audit::append(conn, &[entry])?;
                Ok(after)
            })
            .await
    }

    /// Deletes an empty category.
    pub(crate) async fn delete_category(
        &self,
        cx: &Cx,
        id: Uuid,
        if_match: Option<i64>,
    ) -> Result<(), Error> {
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                categories::lock_tree(conn)?;
                let before = current(conn, id, if_match)?;
                let deleted = categories::delete(conn, id, before.version).map_err(in_use)?;
                let entry =
                    Entry::new(&cx, "category.delete", id).change(deleted.as_ref(), None)?;
                audit::append(conn, &[entry])?;
                Ok(())
            })
            .await
    }
}

fn in_use(error: Query) -> Error {
    match error {
        Query::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => Error::CategoryInUse,
        other => other.into(),
    }
}

fn current(conn: &mut PgConnection, id: Uuid, if_match: Option<i64>) -> Result<Category, Error> {
    let category = categories::find(conn, id)?.ok_or(Error::NotFound("category"))?;
    match if_match {
        Some(version) if version != category.version => {
            Err(Error::VersionMismatch(category.version))
        }
        _ => Ok(category),
    }
}

fn parent(conn: &mut PgConnection, id: Option<Uuid>) -> Result<Option<Category>, Error> {
    id.map(|id| categories::find(conn, id)?.ok_or(Error::UnknownParent))
        .transpose()
}

fn place(parent: Option<&Category>, name: &CategoryName) -> (String, i32) {
    let path = join(parent.map(|p| p.path.as_str()), name.as_str());
    (path, parent.map_or(0, |p| p.depth) + 1)
}

fn check_depth(depth: i32) -> Result<(), Error> {
    if usize::try_from(depth).is_ok_and(|depth| depth <= MAX_DEPTH) {
        Ok(())
    } else {
        Err(Error::CategoryTooDeep)
    }
}
