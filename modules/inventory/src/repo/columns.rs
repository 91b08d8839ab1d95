//! How values that are words in the database are read and written.

use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    serialize::{self, Output, ToSql},
    sql_types::Text,
};

use crate::domain::replenishment::RequestStatus;

/// `replenishment_requests.status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub(crate) struct Status(pub(crate) RequestStatus);

impl Status {
    pub(crate) fn text(self) -> &'static str {
        match self.0 {
            RequestStatus::Draft => "draft",
            RequestStatus::Requested => "requested",
            RequestStatus::Approved => "approved",
            RequestStatus::Rejected => "rejected",
            RequestStatus::Cancelled => "cancelled",
            RequestStatus::Fulfilled => "fulfilled",
            RequestStatus::Unfulfilled => "unfulfilled",
        }
    }
}

impl ToSql<Text, Pg> for Status {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <str as ToSql<Text, Pg>>::to_sql(self.text(), out)
    }
}

impl FromSql<Text, Pg> for Status {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Pg>>::from_sql(bytes)?;
        [
            RequestStatus::Draft,
            RequestStatus::Requested,
            RequestStatus::Approved,
            RequestStatus::Rejected,
            RequestStatus::Cancelled,
            RequestStatus::Fulfilled,
            RequestStatus::Unfulfilled,
        ]
        .into_iter()
        .map(Self)
        .find(|status| status.text() == text)
        .ok_or_else(|| format!("not a status of a request: {text}").into())
    }
}
