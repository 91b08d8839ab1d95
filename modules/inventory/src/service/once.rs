//! A use case that is one transaction, carried out once per request.

use diesel::PgConnection;
use kernel::{
    answers::{self, Answered, Asked},
    call::Cx,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Inventory, error::Error};

impl Inventory {
    /// The stored answer to this request, if there is one: for what has to be asked elsewhere
    /// before the work begins.
    pub(crate) async fn replayed<T>(&self, asked: &Asked) -> Result<Option<Answered<T>>, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let asked = asked.clone();
        self.db.run(move |conn| answers::replay(conn, &asked)).await
    }

    /// Does `work` in a transaction, once per request.
    pub(crate) async fn once<T, F>(
        &self,
        cx: &Cx,
        asked: Asked,
        work: F,
    ) -> Result<Answered<T>, Error>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        F: FnOnce(&mut PgConnection) -> Result<T, Error> + Send + 'static,
    {
        let cx = cx.clone();
        self.db
            .transaction(move |conn| answers::once(conn, &cx, &asked, work))
            .await
    }
}
